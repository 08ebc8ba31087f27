import assert from "node:assert/strict";
import { fromHex, hex } from "../base/ids.ts";
import { until } from "../testing/fakes/message/message-samples.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";
import { FakeThreads, row } from "../testing/worlds/push/push-world.ts";

const NONE = new Uint8Array(0);

describeBound("The thread service of a push server", (bound) => {
  it("syncs page by page, with every field of a row", async () => {
    const served = new FakeThreads();
    const pages = [[row(1, 3), { ...row(2, 2 ** 40), isMuted: true, unread: 4 }], [row(3, 1)]];
    served.pages.set("0507", pages);
    const threads = await bound().thread(served);
    const first = await threads.sync("ann", fromHex("0507"), NONE);
    assert.deepEqual([first.threads, hex(first.cursor)], [pages[0], ""]);
    const last = await threads.sync("ann", fromHex("0507"), first.nextPageToken);
    assert.deepEqual([last.threads, hex(last.nextPageToken), hex(last.cursor)], [pages[1], "", "06"]);
    assert.deepEqual(served.asked, ["0507", "0507"]);
  });

  it("asks for groups and revoked devices, and tells of devices in use", async () => {
    const served = new FakeThreads();
    const ids = ["aa", "bb"].map((byte) => byte.repeat(16));
    served.memberOf.set("ann", ids);
    served.revokedDevices.add("ann phone");
    const threads = await bound().thread(served);
    assert.deepEqual((await threads.groups("ann")).map(hex), ids);
    assert.deepEqual(await threads.groups("bob"), []);
    assert.deepEqual(await threads.revoked("ann", ["tablet", "phone"]), ["phone"]);
    threads.deviceUsed("ann", "tablet");
    await until(() => served.usedDevices.length > 0);
    assert.deepEqual(served.usedDevices, ["ann tablet"]);
  });
});
