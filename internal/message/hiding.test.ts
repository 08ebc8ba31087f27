import assert from "node:assert/strict";
import { storeUnavailable } from "../base/heddle-error.ts";
import { GroupParts } from "../testing/fakes/message/group-parts.ts";
import { MessageParts } from "../testing/fakes/message/message-parts.ts";
import { clientIdOf } from "../testing/fakes/message/message-samples.ts";
import { Hiding } from "./hiding.ts";

/** Sights by which these have written, and these pairs (viewer, user) are shown. */
function sightsOf(writers: readonly string[], pairs: readonly string[] = []) {
  const asked: string[] = [];
  const hasWritten = async (_threadId: Uint8Array, userId: string) => {
    asked.push(userId);
    return writers.includes(userId);
  };
  const shows = async (viewer: string, user: string) => pairs.includes(`${viewer} ${user}`);
  return { asked, sights: { hasWritten, shows } };
}

describe("Hiding", () => {
  it("hides one of a direct thread who has not written there, unless the other sees it elsewhere", async () => {
    const log = await new MessageParts().open();
    assert.equal(await new Hiding(sightsOf([])).isHidden(log.membership, "bob"), true);
    assert.equal(await new Hiding(sightsOf([], ["ann bob"])).isHidden(log.membership, "bob"), false);
    assert.equal(await new Hiding().isHidden(log.membership, "bob"), false);
  });

  it("answers at once for one who is known to have written", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log, { userId: "bob" });
    const { asked, sights } = sightsOf([]);
    const told: boolean[] = [];
    new Hiding({ sights }).checkHidden(log.membership, "bob", (isHidden) => told.push(isHidden));
    assert.deepEqual([told, asked], [[false], []]);
  });

  it("asks the store once for one who has written before this server started", async () => {
    const log = await new MessageParts().open();
    const { asked, sights } = sightsOf(["bob"]);
    const hiding = new Hiding({ sights });
    for (let n = 0; n < 3; n++) assert.equal(await hiding.isHidden(log.membership, "bob"), false);
    assert.deepEqual(asked, ["bob"]);
  });

  it("counts in a group what one has done there as the member that it is now", async () => {
    const parts = new GroupParts();
    await parts.create();
    const log = await parts.openGroup();
    await parts.append(log, { userId: "bob", clientId: clientIdOf(1) });
    const hiding = new Hiding(sightsOf([], ["ann bob"]));
    assert.equal(await hiding.isHidden(log.membership, "bob"), false);
    await parts.ask("ann", 2, { kind: "remove", userIds: ["bob"] });
    assert.equal(await hiding.isHidden(log.membership, "bob"), true);
    await parts.ask("ann", 3, { kind: "add", userIds: ["bob"] });
    assert.equal(await hiding.isHidden(log.membership, "bob"), true);
  });

  it("hides users that it cannot judge, and those who have chosen so", async () => {
    const log = await new MessageParts().open();
    const away = async () => Promise.reject(storeUnavailable("thread"));
    assert.equal(
      await new Hiding({ sights: { hasWritten: away, shows: away } }).isHidden(log.membership, "bob"),
      true,
    );
    const visibilities = { known: () => "nobody" as const, readVisibility: async () => "nobody" as const };
    assert.equal(
      await new Hiding({ visibilities, ...sightsOf(["bob"]) }).isHidden(log.membership, "bob"),
      true,
    );
  });
});
