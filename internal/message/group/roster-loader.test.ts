import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { GroupParts } from "../../testing/fakes/message/group-parts.ts";

describe("RosterLoader (docs/design.md, section 5, Judged at H)", () => {
  it("finishes a projection that is behind, in order, along the chain", async () => {
    const { parts, memory } = await behind(5);
    const reader = new GroupParts({ store: parts.store, threads: parts.threads });
    const log = reader.logs.bare(parts.groupId);
    const { head } = await reader.reader.head(log);
    assert.equal(head.membersSeq, 6);
    assert.deepEqual(
      parts.trace.filter((call) => call.startsWith("project")),
      ["project 2", "project 3", "project 4", "project 5", "project 6"],
    );
    assert.equal((await memory.roster(parts.groupId))?.name, "name 4");
    assert.equal(log.membership.view?.roster.name, "name 4");
  });

  it("says that a head is old which the projection is beyond", async () => {
    const parts = new GroupParts();
    await parts.create();
    const log = await parts.openGroup();
    const { head } = await parts.reader.head(log);
    await parts.ask("ann", 1, { kind: "rename", name: "warp" });
    assert.equal(await parts.rosters.at(log.membership, head), undefined);
    const fresh = new GroupParts({ store: parts.store, threads: parts.threads });
    assert.equal(await fresh.rosters.at(fresh.logs.bare(parts.groupId).membership, head), undefined);
  });

  it("reads the projection again where somebody else moves it meanwhile", async () => {
    const { parts, memory } = await behind(2);
    const reader = new GroupParts({ store: parts.store, threads: parts.threads });
    const project = memory.project.bind(memory);
    let meddled = false;
    memory.project = async (entry, bucket) => {
      if (meddled) return project(entry, bucket);
      meddled = true;
      return entry.previousSeq;
    };
    const { head } = await reader.reader.head(reader.logs.bare(parts.groupId));
    assert.equal(head.membersSeq, 3);
    assert.equal((await memory.roster(parts.groupId))?.appliedSeq, 3);
  });

  it("gives up where the projection never moves", async () => {
    const { parts, memory } = await behind(2);
    memory.project = async (entry) => entry.previousSeq;
    const reader = new GroupParts({ store: parts.store, threads: parts.threads });
    await assert.rejects(reader.reader.head(reader.logs.bare(parts.groupId)), (error) => {
      return error instanceof HeddleError && error.reason === ErrorReason.STORE_UNAVAILABLE;
    });
  });

  it("projects at most 256 entries a load, and goes on with the next", async () => {
    const { parts } = await behind(300);
    const reader = new GroupParts({ store: parts.store, threads: parts.threads });
    const log = reader.logs.bare(parts.groupId);
    await assert.rejects(reader.reader.head(log), HeddleError);
    assert.equal((await reader.reader.head(log)).view?.membersSeq, 301);
  });
});

/** A group with `count` renames of which the projection knows nothing. */
async function behind(count: number) {
  const parts = new GroupParts();
  const { memory } = parts.threads;
  await parts.create();
  const shadow = new GroupParts({ store: parts.store });
  // Another thread service, of which ours knows nothing, takes the projections.
  await shadow.create();
  for (let n = 0; n < count; n++) await shadow.ask("ann", n + 1, { kind: "rename", name: `name ${n}` });
  parts.trace.length = 0;
  return { parts, memory };
}
