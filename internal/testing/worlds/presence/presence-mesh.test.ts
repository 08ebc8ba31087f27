import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import type { Ring } from "../../../base/ring.ts";
import { PresenceStatus } from "../../../gen/heddle/presence/v1/presence_pb.js";
import { CONFIRM_MS } from "../../../presence/limits.ts";
import type { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { PresenceMesh, type PresenceVariant } from "./presence-mesh.ts";

const { ONLINE, OFFLINE, UNKNOWN } = PresenceStatus;
const A = "presence-a";
const B = "presence-b";

/** Promise 9, and the lease of an instance that dies. */
const OFFLINE_SHOWN_MS = 40_000;
const LEASE_MS = 10_000;

/** The ring as its mirror has it, not listed anew. */
const asMirrored = (ring: Ring): Ring => ({
  view: () => ring.view(),
  onChange: (callback) => ring.onChange(callback),
  listAgain: async () => true,
});

/** Only the first of the instances. */
const onlyFirst = (ring: Ring): Ring => ({
  ...asMirrored(ring),
  view: () => ({ ...ring.view(), members: ring.view().members.slice(0, 1) }),
});

/** None, where it is not known which. */
const noneIfUnknown = (ring: Ring): Ring => ({
  ...asMirrored(ring),
  view: () => ({ ...ring.view(), state: "known" }),
});

/** Two instances and two push servers. bob is owned by B, and both are there; ann watches him at the first push server. */
async function world(variant: PresenceVariant = {}) {
  const mesh = new PresenceMesh(variant);
  const [a, b] = [mesh.startInstance(A), mesh.startInstance(B)];
  const pushes = [mesh.startPush("push-0"), mesh.startPush("push-1")] as const;
  await mesh.pass(2_000);
  const bob = mesh.userOf(B, [A, B]);
  const bobs = mesh.connect(pushes[1], bob);
  const anns = mesh.connect(pushes[0], "ann");
  watch(anns, bob);
  await mesh.pass(6_000);
  const told = () => toldOf(anns, bob);
  assert.equal(told().at(-1), ONLINE);
  return { mesh, a, b, pushes, bob, bobs, anns, told };
}

/** Says which users the client wants to see. */
function watch(stream: FakeByteStream, ...userIds: string[]): void {
  stream.say({ case: "watch", value: { userIds } as never });
}

/** All that a stream was shown of a user, in order. */
function toldOf(stream: FakeByteStream, userId: string): PresenceStatus[] {
  return stream.of("presence").flatMap((one) => (one.userId === userId ? [one.status] : []));
}

/** The same with a mechanism broken must fail. */
function bothWays(
  title: string,
  run: (variant?: PresenceVariant) => Promise<void>,
  broken: Record<string, PresenceVariant>,
) {
  it(title, () => run());
  for (const [what, variant] of Object.entries(broken)) {
    it(`would not: ${what}`, () => assert.rejects(() => run(variant), assert.AssertionError));
  }
}

describe("Presence over several instances", () => {
  bothWays(
    "tells nobody of a user who hides through another instance, once that is answered",
    async (variant) => {
      const { mesh, a, bob, bobs, told } = await world(variant);
      const hiding = mesh.hide(a, bob);
      await mesh.turn();
      await hiding;
      await mesh.turn();
      assert.equal(told().at(-1), UNKNOWN);
      bobs.drop();
      await mesh.pass(OFFLINE_SHOWN_MS);
      assert.equal(told().at(-1), UNKNOWN);
      assert.deepEqual(await mesh.list(a, "ann", [bob]), []);
    },
    { "the other instance is not told": { registered: onlyFirst } },
  );

  bothWays(
    "lists what the owners know, and nothing as offline whose owner has died",
    async (variant) => {
      const { mesh, a, b, bob } = await world(variant);
      const listing = mesh.list(a, "ann", [bob, "nobody"]);
      await mesh.turn();
      assert.deepEqual((await listing)[0], [bob, ONLINE]);
      b.crash();
      const after = mesh.list(a, "ann", [bob]);
      await mesh.pass(2_250);
      assert.deepEqual(await after, [[bob, UNKNOWN]]);
    },
    {},
  );

  bothWays(
    "lets no watch open at a new instance behind the back of a block that was confirmed by the old ring",
    async (variant) => {
      const { mesh, pushes, anns } = await world(variant);
      mesh.thread.way("presence").way.lagMs = 20_000;
      const cay = mesh.userOf("presence-c", [A, B, "presence-c"]);
      mesh.connect(pushes[1], cay);
      const late = mesh.startInstance("presence-c");
      let release = () => {};
      late.afterCheck = () => new Promise((resolve) => (release = resolve));
      await mesh.pass(2_000);
      watch(anns, cay); // The new instance looks whether ann may see cay, and the answer is on its way.
      await mesh.pass(1_000);
      const blocking = mesh.block("ann", cay);
      await mesh.pass(1_000);
      late.afterCheck = async () => {};
      release();
      await blocking;
      await mesh.pass(30_000);
      assert.deepEqual(toldOf(anns, cay), [UNKNOWN]);
    },
    { "the ring is not listed anew": { registered: asMirrored } },
  );

  bothWays(
    "confirms no block before every instance has, refuses it after 5 s, and confirms it when the silent one is gone",
    async (variant) => {
      const { mesh, b, bob } = await world(variant);
      b.freeze();
      b.process.pause();
      const ends: string[] = [];
      const block = () =>
        mesh.block(bob, "ann").then(
          () => ends.push("confirmed"),
          (error) => ends.push(error instanceof HeddleError ? ErrorReason[error.reason] : String(error)),
        );
      void block();
      await mesh.pass(CONFIRM_MS - 250);
      assert.deepEqual(ends, []);
      await mesh.pass(500);
      assert.deepEqual(ends, ["PEER_UNAVAILABLE"]);
      await mesh.pass(LEASE_MS);
      void block();
      await mesh.pass(500);
      assert.deepEqual(ends, ["PEER_UNAVAILABLE", "confirmed"]);
    },
    { "it is answered before all have confirmed": { registered: onlyFirst } },
  );

  bothWays(
    "tells nothing by an old check where an instance may be taken for gone",
    async (variant) => {
      const { mesh, b, pushes, bob, bobs, told } = await world(variant);
      for (const { way } of [...pushes, b].map((node) => node.way("presence"))) way.lagMs = 60_000; // Nobody hears.
      b.way("own place").way.isCut = true;
      await mesh.pass(LEASE_MS);
      const blocking = mesh.block(bob, "ann");
      await mesh.pass(500);
      await blocking;
      const before = told().length;
      bobs.drop();
      await mesh.pass(20_000);
      assert.deepEqual(
        told()
          .slice(before)
          .filter((status) => status !== UNKNOWN),
        [],
      );
    },
    { "it is sure for ever": { lease: { isSure: () => true } } },
  );

  bothWays(
    "takes nobody for offline while a new instance does not know the push servers",
    async (variant) => {
      const { mesh, pushes, anns } = await world(variant);
      const names = [A, B, "presence-c"];
      const cay = mesh.userOf("presence-c", names);
      mesh.connect(pushes[1], cay);
      watch(anns, cay);
      await mesh.pass(6_000);
      const late = mesh.startInstance("presence-c");
      late.way("push").way.isCut = true;
      for (const push of pushes) push.freeze(); // Nor do they come to it.
      await mesh.pass(2_000);
      const listed = mesh.list(late, "ann", [cay]);
      await mesh.pass(250);
      assert.deepEqual(await listed, [[cay, UNKNOWN]]);
    },
    { "a mirror that is not loaded is taken for an empty one": { pushServers: noneIfUnknown } },
  );

  it("loses nobody when an instance dies, and shows who leaves within the bound and the lease of it", async () => {
    const { mesh, b, bobs, told } = await world();
    b.crash();
    await mesh.pass(LEASE_MS + 3_000);
    assert.deepEqual(told(), [OFFLINE, ONLINE]);
    bobs.drop();
    await mesh.pass(OFFLINE_SHOWN_MS - LEASE_MS);
    assert.deepEqual(told().slice(2), [OFFLINE]);
  });

  it("loses nobody who leaves while an instance dies", async () => {
    const { mesh, b, bobs, told } = await world();
    b.crash();
    bobs.drop();
    await mesh.pass(OFFLINE_SHOWN_MS + LEASE_MS);
    assert.deepEqual(told(), [OFFLINE, ONLINE, OFFLINE]);
  });

  bothWays(
    "takes nobody for offline by the digest of a push server that has not heard that an instance died",
    async (variant) => {
      const { mesh, b, pushes, told, bob } = await world(variant);
      pushes[1].way("presence").way.lagMs = 14_000; // bob's.
      b.crash();
      await mesh.pass(LEASE_MS + 16_000);
      assert.deepEqual(told(), [OFFLINE, ONLINE], bob);
    },
    {
      "every digest counts as whole": {
        report: (report) => ({ ...report, ring: report.ring && [] }),
      },
    },
  );

  it("loses nobody when an instance joins, and takes back nothing that was told", async () => {
    const { mesh, pushes, anns } = await world();
    const cay = mesh.userOf("presence-c", [A, B, "presence-c"]);
    const cays = mesh.connect(pushes[1], cay);
    watch(anns, cay);
    await mesh.pass(6_000);
    const late = mesh.startInstance("presence-c");
    await mesh.pass(3_000);
    assert.deepEqual(await mesh.list(late, "ann", [cay]), [[cay, ONLINE]]);
    cays.drop();
    await mesh.pass(OFFLINE_SHOWN_MS);
    assert.deepEqual(toldOf(anns, cay), [OFFLINE, ONLINE, OFFLINE]);
  });

  it("goes on while the registry is away", async () => {
    const { mesh, bob, bobs, told, pushes } = await world();
    mesh.shared.setAway(true);
    await mesh.pass(30_000);
    bobs.drop();
    await mesh.pass(OFFLINE_SHOWN_MS);
    assert.deepEqual(told(), [OFFLINE, ONLINE, OFFLINE]);
    mesh.connect(pushes[0], bob);
    await mesh.pass(5_000);
    assert.deepEqual(told().slice(3), [ONLINE]);
    const blocking = mesh.block(bob, "ann");
    await mesh.pass(3_000);
    await blocking;
    assert.equal(told().at(-1), UNKNOWN);
  });

  it("does not tell by what it knew when its registration is taken anew", async () => {
    const { mesh, b, bob, told } = await world();
    mesh.shared.loseLease("presence", B);
    mesh.hidden.add(bob); // Set, and answered without it.
    await mesh.pass(30_000);
    assert.equal(told().at(-1), UNKNOWN);
    assert.ok(b.registration.incarnation > 2);
  });
});
