import assert from "node:assert/strict";
import { entryNameBytes } from "../base/history.ts";
import { sha256 } from "../base/sha256.ts";
import { GroupParts } from "../testing/fakes/message/group-parts.ts";
import { clientIdOf, storedClientId, storeLog } from "../testing/fakes/message/message-samples.ts";
import { decodeCell } from "./cells/entry-cell.ts";
import { Comparison } from "./comparison.ts";

describe("What a client holds, compared with the log", () => {
  let parts: GroupParts;
  let comparison: Comparison;

  beforeEach(async () => {
    parts = new GroupParts();
    const { logs, reader, logStore: store } = parts;
    comparison = new Comparison({
      logs,
      reader,
      store,
      history: { deploymentId: clientIdOf(0), logEpoch: 7 },
    });
    await storeLog(parts.store.inner, parts.threadId, 8, 9);
  });

  /** The entry that storeLog made at a seq, as a client would name it. */
  async function nameOf(seq: number) {
    const value = await parts.logStore.cell(parts.threadId, seq);
    assert.ok(value);
    const { sender, clientId, ...cell } = decodeCell(value);
    const numbers = {
      ordinal: Number(cell.ordinal),
      baseSeq: Number(cell.baseSeq),
      createdAtMs: Number(cell.createdAtMs),
    };
    return { seq, sender, clientId, ...numbers };
  }

  const hashOf = (name: Parameters<typeof entryNameBytes>[1]) =>
    sha256(entryNameBytes(parts.threadId, name), 32);
  const compare = (userId: string, seq: number, entryHash: Uint8Array = new Uint8Array(0)) =>
    comparison.compare(userId, { threadId: parts.threadId, seq, entryHash });

  it("is the same where the entry at that seq has that name", async () => {
    for (const seq of [1, 8, 9]) {
      const head = { seq: 9, ordinal: 9 };
      assert.deepEqual(await compare("bob", seq, hashOf(await nameOf(seq))), { isSame: true, head });
    }
  });

  it("is not where one thing of it differs, the time included", async () => {
    const name = await nameOf(5);
    for (const other of [
      { ...name, seq: 4 },
      { ...name, ordinal: 6 },
      { ...name, baseSeq: 1 },
      { ...name, createdAtMs: name.createdAtMs + 1 },
      { ...name, clientId: storedClientId(6) },
      { ...name, sender: "bob" },
    ]) {
      assert.equal((await compare("bob", 5, hashOf(other))).isSame, false, JSON.stringify(other));
    }
    assert.equal((await compare("bob", 5)).isSame, false, "no hash");
  });

  it("is not above the head, and tells the head to who holds nothing", async () => {
    const head = { seq: 9, ordinal: 9 };
    assert.deepEqual(await compare("ann", 10, hashOf(await nameOf(9))), { isSame: false, head });
    assert.deepEqual(await compare("ann", 0), { isSame: true, head });
  });

  it("tells a stranger nothing", async () => {
    const none = { isSame: false, head: undefined };
    assert.deepEqual(await compare("zed", 5, hashOf(await nameOf(5))), none);
    assert.deepEqual(await compare("zed", 0), none);
  });

  it("ends for one who has left where its view of the group ends", async () => {
    await parts.create(); // 1
    await parts.ask("bob", 1, { kind: "leave" }); // 2
    await parts.append(await parts.openGroup(), { clientId: clientIdOf(1) }); // 3
    const asked = { threadId: parts.groupId, seq: 0, entryHash: new Uint8Array(0) };
    assert.deepEqual((await comparison.compare("bob", asked)).head, { seq: 2, ordinal: 0 });
    assert.deepEqual((await comparison.compare("ann", asked)).head, { seq: 3, ordinal: 1 });
  });
});
