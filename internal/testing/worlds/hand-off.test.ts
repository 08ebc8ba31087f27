import assert from "node:assert/strict";
import { rendezvousOwner } from "../../base/rendezvous.ts";
import { SeededRandom, testSeed } from "../fakes/seeded-random.ts";
import { playHandOffs } from "./hand-off-history.ts";
import { HandOffWorld } from "./hand-off-world.ts";

const RUNS = 60;

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

/** A world at rest, its first push server with these topics. */
async function calm(instances: number, topics: readonly string[]): Promise<{ readonly world: HandOffWorld }> {
  const world = new HandOffWorld(new SeededRandom(testSeed()));
  await world.start(instances);
  for (const push of world.pushes) for (const topic of topics) world.open(push, topic);
  await world.pass(1_000);
  return { world };
}
