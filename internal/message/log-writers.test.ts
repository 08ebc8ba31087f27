import assert from "node:assert/strict";
import { GroupParts } from "../testing/fakes/message/group-parts.ts";
import { HookedStore } from "../testing/fakes/message/message-ports.ts";
import { clientIdOf, logStoreOf, storeLog } from "../testing/fakes/message/message-samples.ts";
import { MemoryMessageStore } from "../testing/fakes/stores/memory-message-store.ts";
import { findWriters } from "./log-writers.ts";

describe("findWriters", () => {
  it("says who has written, in which message last, and who made which member entry; voids do not count", async () => {
    const parts = new GroupParts();
    await parts.create(); // 1
    const log = await parts.openGroup();
    await parts.append(log, { userId: "bob", clientId: clientIdOf(1) }); // 2
    await parts.ask("bob", 2, { kind: "add", userIds: ["dee"] }); // 3
    await parts.append(log, { userId: "bob", clientId: clientIdOf(3) }); // 4
    await parts.append(log, { userId: "cid", clientId: clientIdOf(4), kind: "void" }); // 5
    const found = await findWriters(parts.logStore, parts.groupId);
    assert.deepEqual([...found.writers], [["bob", 4]]);
    assert.deepEqual([...found.changes].sort(), [
      [1, "ann"],
      [3, "bob"],
    ]);
  });

  it("reads the newest 64 rows and the first, and nothing of a thread without entries", async () => {
    const store = new MemoryMessageStore();
    const threadId = new Uint8Array(16).fill(3);
    assert.equal((await findWriters(logStoreOf(store), threadId)).writers.size, 0);
    await storeLog(store, threadId, 4, 400);
    const hooked = new HookedStore();
    hooked.onGet = (_read, row, query) => store.get(row, query);
    const found = await findWriters(logStoreOf(hooked), threadId);
    const read = hooked.gets.filter(({ query }) => query.entries).map(({ bucket }) => bucket);
    assert.deepEqual([...found.writers], [["ann", 400]]);
    assert.deepEqual([read.length, read[0], read.at(-2), read.at(-1)], [65, 99, 36, 0]);
  });
});
