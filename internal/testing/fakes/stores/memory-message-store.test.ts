import { messageStoreSuite } from "../../../store/message-store.suite.ts";
import { MemoryMessageStore } from "./memory-message-store.ts";

messageStoreSuite(
  "MemoryMessageStore",
  async () => ({ store: new MemoryMessageStore(), close: async () => {} }),
  { durable: false },
);
