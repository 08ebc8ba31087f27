import { MemoryStorage } from "./memory-storage.ts";
import { storageSuite } from "./storage.suite.ts";

const storage = new MemoryStorage();
storageSuite("MemoryStorage", () => Promise.resolve(storage));
