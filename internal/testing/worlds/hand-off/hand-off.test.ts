import assert from "node:assert/strict";
import { rendezvousOwner } from "../../../base/rendezvous.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { brokenHandOffs, type HandOffVariant } from "./broken-hand-offs.ts";
import { playHandOffs } from "./hand-off-history.ts";
import { HandOffWorld } from "./hand-off-world.ts";

const RUNS = 60;

/** Seeds that once failed, with what was wrong then. */
const ONCE_FAILED: Readonly<Record<number, string>> = {
  711424510: "a publisher that had paused gave up on the answer that was there, and refused",
};

describe("Hand-off between several publishers, channel instances and push servers", function () {
  this.timeout(120_000);

  it("leaves no hole once all is quiet, and refuses nothing while an instance answers", async () => {
    const first = testSeed();
    for (let seed = first; seed < first + RUNS; seed++) {
      const { world, story } = await playHandOffs(seed);
      assert.deepEqual(world.breaches, [], `HEDDLE_TEST_SEED=${seed}\n${story.join("\n")}`);
      assert.ok(world.sends.accepted > 100);
    }
  });

  for (const [seed, wrong] of Object.entries(ONCE_FAILED)) {
    it(`plays seed ${seed} well: ${wrong}`, async () => {
      const { world, story } = await playHandOffs(Number(seed));
      assert.deepEqual(world.breaches, [], story.join("\n"));
    });
  }

  describe("leaves a hole when", () => {
    for (const [what, [variant, seed]] of Object.entries(brokenHandOffs)) {
      it(what, async () => {
        const { world } = await playHandOffs(seed, variant);
        assert.match(world.breaches.join("\n"), /^hole: /m);
        assert.deepEqual((await playHandOffs(seed)).world.breaches, [], "and none when it is whole");
      });
    }

    for (const [what, variant] of Object.entries<HandOffVariant>({
      "there is no repair": { hasNoRepair: true },
      "repair stops at `broadcast`": { doesRepairStopAtBroadcast: true },
    })) {
      it(what, async () => {
        for (const one of [variant, {}]) {
          const { world, moved, old } = await staleAfterJoin(one, "announced");
          await world.pass(2_500); // A hint is asked of the old owner.
          old.crash();
          await world.settle();
          assert.deepEqual(holesIn(world, moved), one === variant ? 2 : 0);
        }
      });
    }

    it("acknowledgements are not waited for", async () => {
      for (const variant of [{ areAcksNotWaitedFor: true }, {}]) {
        const { world, moved } = await staleAfterJoin(variant, "not announced");
        await world.settle();
        assert.deepEqual(holesIn(world, moved), "areAcksNotWaitedFor" in variant ? 2 : 0);
      }
    });

    it("there is no lease deadline", async () => {
      for (const variant of [{ hasNoDeadline: true }, {}]) {
        const { world } = await calm(2, topicsOf(20), variant);
        const [publisher = assert.fail()] = world.publishers;
        const [old = assert.fail()] = world.channels.values();
        publisher.client.way.lagMs = 20_000;
        old.client.way.isCut = true;
        await world.pass(13_000); // The lease is gone, its topics have moved, and neither has heard of it.
        const topic = ownedBy(old.name, ["channel-0", "channel-1"]);
        world.send(publisher, topic);
        await world.pass(1_000);
        old.crash();
        await world.settle();
        assert.deepEqual(holesIn(world, topic), "hasNoDeadline" in variant ? 2 : 0);
      }
    });
  });

  it("takes, while all is calm, one frame to the owner and one to each push server with a subscriber", async () => {
    const { world } = await calm(3, []);
    const [publisher = assert.fail()] = world.publishers;
    const [one = assert.fail(), two = assert.fail()] = world.pushes;
    world.open(one, "thread/both");
    world.open(two, "thread/both");
    world.open(one, "thread/one");
    await world.pass(500);
    for (const topic of ["thread/both", "thread/one", "thread/none"]) world.send(publisher, topic);
    await world.pass(500);
    const counters = [...world.channels.values()].map(({ service }) => service.counters);
    const sum = (of: "publications" | "broadcasts" | "deliveries") =>
      counters.reduce((total, counter) => total + counter[of], 0);
    assert.deepEqual([sum("publications"), sum("broadcasts"), sum("deliveries")], [3, 0, 3]);
  });

  it("with one of two instances killed under load refuses no send, and stalls none for more than two tries", async () => {
    const { world } = await calm(2, topicsOf(20));
    const [killed = assert.fail()] = world.channels.values();
    for (let at = 0; at < 600; at++) {
      if (at === 100) killed.crash();
      for (const publisher of world.publishers) world.send(publisher, `thread/${at % 20}`);
      await world.pass(40);
    }
    await world.settle();
    const { refused, pending, accepted, longestMs } = world.sends;
    assert.deepEqual([world.breaches, refused, pending, accepted], [[], 0, 0, 1_200]);
    assert.ok(longestMs <= 500, `${longestMs} ms`);
  });

  describe("compares", () => {
    const T = 300;
    const counted = async (instances: number, act: (world: HandOffWorld) => void) => {
      const { world } = await calm(instances, topicsOf(T));
      const [push = assert.fail()] = world.pushes;
      const names = () => [...world.channels.values()].filter(({ process }) => !process.isCrashed);
      const before = names().map(({ name }) => ({ name }));
      const counters = push.topics.counters;
      assert.equal(counters.comparisons, 0);
      act(world);
      await world.pass(20_000);
      const owned = (name: string, members: readonly { readonly name: string }[]) =>
        topicsOf(T).filter((topic) => rendezvousOwner(members, topic)?.name === name).length;
      return { world, before, owned, comparisons: counters.comparisons };
    };

    it("what a crashed instance owned, once", async () => {
      const { before, owned, comparisons } = await counted(3, (world) =>
        world.channels.get("channel-1")?.crash(),
      );
      assert.equal(comparisons, owned("channel-1", before));
    });

    it("what an instance that left owned, once", async () => {
      const { before, owned, comparisons } = await counted(
        3,
        (world) => void world.channels.get("channel-1")?.leave(),
      );
      assert.equal(comparisons, owned("channel-1", before));
    });

    it("what is asked for over a link that broke, once", async () => {
      const { before, owned, comparisons } = await counted(3, (world) => {
        const links = world.channels.get("channel-1")?.links ?? [];
        for (const link of [...links]) link.breakSoon();
      });
      assert.equal(comparisons, owned("channel-1", before));
    });

    it("what an instance that joins owns, once or twice", async () => {
      const { before, owned, comparisons } = await counted(3, (world) => world.startChannel("channel-3"));
      const own = owned("channel-3", [...before, { name: "channel-3" }]);
      assert.ok(comparisons >= own && comparisons <= 2 * own, `${comparisons} of ${own}`);
    });

    it("everything when every lease was lost, once or, as with any that joins, twice", async () => {
      const { comparisons } = await counted(3, (world) => {
        for (const name of world.channels.keys()) world.shared.loseLease("channel", name);
      });
      assert.ok(comparisons >= T && comparisons <= 2 * T, `${comparisons} of ${T}`);
    });

    it("everything only when a registration was hidden", async () => {
      const { comparisons } = await counted(3, (world) => {
        const [push = assert.fail()] = world.pushes;
        push.client.cutWatches();
        push.client.way.isCut = true;
        const hidden = world.startChannel("channel-3");
        world.clock.after(2_000, () => void hidden.leave());
        world.clock.after(5_000, () => {
          push.client.way.isCut = false;
        });
      });
      assert.equal(comparisons, T);
    });
  });
});

function topicsOf(many: number): string[] {
  return Array.from({ length: many }, (_, at) => `thread/${at}`);
}

/** The first topic that the instance owns among these. */
function ownedBy(name: string, names: readonly string[]): string {
  const members = names.map((one) => ({ name: one }));
  return topicsOf(20).find((topic) => rendezvousOwner(members, topic)?.name === name) ?? assert.fail();
}

/** Push servers that miss the head of the topic. */
function holesIn(world: HandOffWorld, topic: string): number {
  return world.breaches.filter((breach) => breach.startsWith("hole:") && breach.includes(` has ${topic} `))
    .length;
}

/**
 * An instance has joined of which the publisher has not heard, and a topic has moved there. Then the publisher sends to
 * the old owner, which has been told of the newer number ("announced"), or not. The links of the old owner have broken,
 * and nobody has noticed yet.
 */
async function staleAfterJoin(variant: HandOffVariant, how: "announced" | "not announced") {
  const { world } = await calm(2, topicsOf(20), variant);
  const [publisher = assert.fail()] = world.publishers;
  publisher.client.way.lagMs = 20_000;
  const names = ["channel-0", "channel-1", "channel-2"];
  const moved = ownedBy("channel-2", names);
  const owner = rendezvousOwner(
    names.slice(0, 2).map((name) => ({ name })),
    moved,
  );
  const old = world.channels.get(owner?.name ?? "") ?? assert.fail();
  const breakLinks = () => {
    for (const link of [...old.links]) link.breakSoon(8_000);
  };
  if (how === "not announced") breakLinks();
  world.startChannel("channel-2");
  await world.pass(2_000);
  if (how === "announced") breakLinks();
  world.send(publisher, moved);
  await world.pass(500);
  return { world, moved, old };
}

/** A world at rest, its push servers with these topics. */
async function calm(
  instances: number,
  topics: readonly string[],
  variant: HandOffVariant = {},
): Promise<{ readonly world: HandOffWorld }> {
  const world = new HandOffWorld(new SeededRandom(testSeed()), variant);
  await world.start(instances);
  for (const push of world.pushes) for (const topic of topics) world.open(push, topic);
  await world.pass(1_000);
  return { world };
}
