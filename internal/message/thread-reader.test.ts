import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { directThreadId, groupThreadId } from "../base/thread-id.ts";
import { GroupParts } from "../testing/fakes/message/group-parts.ts";
import { clientIdOf, storeLog } from "../testing/fakes/message/message-samples.ts";

describe("What a user may see of a thread", () => {
  it("is all of a direct thread", async () => {
    const parts = new GroupParts();
    await storeLog(parts.store.inner, parts.threadId, 8, 3);
    const { firstSeq, last } = await parts.reader.range(await parts.open(), "ann");
    assert.deepEqual([firstSeq, last.seq, last.ordinal], [1, 3, 3]);
  });

  it("is a group from the entry with which it joined to the one with which it left", async () => {
    const parts = new GroupParts();
    await parts.create(); // 1
    const log = await parts.openGroup();
    await parts.append(log, { clientId: clientIdOf(1) }); // 2
    await parts.ask("ann", 2, { kind: "add", userIds: ["dee"] }); // 3
    await parts.append(log, { clientId: clientIdOf(3) }); // 4
    const range = async (userId: string) => {
      const { firstSeq, last } = await parts.reader.range(log, userId);
      return [firstSeq, last.seq, last.ordinal];
    };
    assert.deepEqual(await range("dee"), [3, 4, 2]);
    await parts.ask("dee", 4, { kind: "leave" }); // 5
    await parts.append(log, { clientId: clientIdOf(5) }); // 6
    assert.deepEqual(await range("dee"), [3, 5, 2]);
    assert.deepEqual(await range("bob"), [1, 6, 3]);
    await parts.ask("ann", 6, { kind: "add", userIds: ["dee"] }); // 7
    assert.deepEqual(await range("dee"), [7, 7, 3]);
    assert.deepEqual(await parts.reader.earlierSpans(log, "dee", 7), [{ firstSeq: 3, lastSeq: 5 }]);
    assert.deepEqual(await parts.reader.earlierSpans(log, "dee", 3), [], "as of an older range");
    await assert.rejects(range("zed"), notFound);
  });

  it("is read afresh, whatever another server did meanwhile", async () => {
    const parts = new GroupParts();
    await parts.create();
    const other = new GroupParts({ store: parts.store, threads: parts.threads });
    const log = await parts.openGroup();
    await parts.reader.range(log, "bob");
    await other.ask("ann", 1, { kind: "remove", userIds: ["bob"] });
    await other.append(await other.openGroup(), { clientId: clientIdOf(2) });
    assert.deepEqual((await parts.reader.range(log, "bob")).last, { seq: 2, ordinal: 0 });
  });
});

describe("Membership, for push servers", () => {
  it("says who of some is a member, with the first entry that each sees, as of a head", async () => {
    const parts = new GroupParts();
    await parts.create();
    await parts.ask("ann", 1, { kind: "add", userIds: ["dee"] });
    await parts.append(await parts.openGroup(), { clientId: clientIdOf(2) });
    const { joined, ...rest } = await parts.reader.membership(parts.groupId, ["ann", "dee", "zed"]);
    assert.deepEqual(rest, { seq: 3, ordinal: 1, membersSeq: 2, isLarge: false });
    assert.deepEqual(
      [...joined],
      [
        ["ann", 1],
        ["dee", 2],
      ],
    );
  });

  it("is NOT_FOUND where there is no such group", async () => {
    const parts = new GroupParts();
    await assert.rejects(parts.reader.membership(groupThreadId("zed", clientIdOf(1)), ["ann"]), notFound);
    await assert.rejects(parts.reader.membership(directThreadId("ann", "bob"), ["ann"]), notFound);
  });
});

function notFound(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.THREAD_NOT_FOUND;
}
