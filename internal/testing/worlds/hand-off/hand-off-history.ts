import { SeededRandom } from "../../fakes/time/seeded-random.ts";
import type { HandOffVariant } from "./broken-hand-offs.ts";
import { HandOffWorld } from "./hand-off-world.ts";

/** Many, so that few entries follow on one that was missed: each would mend the hole. */
const TOPICS = Array.from({ length: 100 }, (_, at) => `thread/${at}`);

/** How long things happen, in ms. */
const BUSY_MS = 30_000;

type Fault = (world: HandOffWorld, random: SeededRandom) => string;

/** What may befall a process or the registry; in words, for the story. */
const faults: readonly Fault[] = [
  (world, random) => {
    const instance = random.pick([...world.channels.values()]);
    if (instance.process.isCrashed || !othersServe(world, instance.name)) return "";
    instance.crash();
    const ms = random.pick([300, 4_000, 12_000]);
    world.clock.after(ms, () => world.startChannel(instance.name));
    return `${instance.name} crashes, and starts again after ${ms} ms`;
  },
  (world, random) => {
    const instance = random.pick([...world.channels.values()]);
    const ms = random.pick([1_000, 9_000, 14_000]);
    return pause(world, instance, ms);
  },
  (world, random) => {
    const server = random.pick([...world.publishers, ...world.pushes]);
    return pause(world, server, random.pick([1_000, 9_000, 14_000]));
  },
  (world, random) => {
    const { process, links } = random.pick(world.pushes);
    const ms = random.pick([20, 8_000, 8_000]);
    const link = random.pick([...links]);
    link.breakSoon(ms);
    return `a link of ${process.name} breaks, and is seen to after ${ms} ms`;
  },
  (world, random) => {
    const { process, client } = random.pick([...world.publishers, ...world.pushes]);
    const ms = random.pick([500, 3_000, 12_000]);
    client.way.lagMs = ms;
    world.clock.after(random.pick([4_000, 15_000]), () => {
      client.way.lagMs = 1;
    });
    return `the watch of ${process.name} lags by ${ms} ms`;
  },
  (world, random) => {
    const { process, client } = random.pick([...world.publishers, ...world.pushes]);
    client.cutWatches();
    client.way.isCut = true;
    const ms = random.pick([2_000, 12_000]);
    world.clock.after(ms, () => {
      client.way.isCut = false;
    });
    return `${process.name} does not reach the registry for ${ms} ms`;
  },
  (world, random) => {
    const { name } = random.pick([...world.channels.values()]);
    world.shared.loseLease("channel", name);
    return `${name} loses its lease`;
  },
  (world, random) => {
    const { name, client } = random.pick([...world.channels.values()]);
    client.way.isCut = true;
    const ms = random.pick([9_000, 20_000]);
    world.clock.after(ms, () => {
      client.way.isCut = false;
    });
    return `${name} does not reach the registry for ${ms} ms`;
  },
  (world, random) => {
    const ms = random.pick([2_000, 9_000]);
    world.shared.setAway(true);
    world.clock.after(ms, () => world.shared.setAway(false));
    return `the registry is away for ${ms} ms`;
  },
  (world) => {
    const { name } = world.startChannel(`channel-${world.channels.size}`);
    return `${name} joins`;
  },
  (world, random) => {
    const instance = random.pick([...world.channels.values()]);
    if (instance.process.isCrashed || !othersServe(world, instance.name)) return "";
    void instance.leave();
    return `${instance.name} leaves`;
  },
  (world, random) => {
    const instance = world.startChannel(`channel-${world.channels.size}`);
    const ms = random.pick([1_500, 5_000]);
    world.clock.after(ms, () => void instance.leave());
    return `${instance.name} joins, and leaves after ${ms} ms`;
  },
];

/** Stops a process for a while; in words, or "" where it is stopped or dead already. */
function pause(
  world: HandOffWorld,
  { process }: HandOffWorld["pushes"][number] | Paused,
  ms: number,
): string {
  if (process.pausedAtMs !== undefined || process.isCrashed) return "";
  process.pause();
  world.clock.after(ms, () => {
    if (process.pausedAtMs !== undefined) process.resume();
  });
  return `${process.name} pauses for ${ms} ms`;
}

/** A process of any kind. */
type Paused = { readonly process: HandOffWorld["pushes"][number]["process"] };

/** Whether another instance is registered: with none left there is nobody to hand over to, which is no fault. */
function othersServe(world: HandOffWorld, name: string): boolean {
  return [...world.channels.values()].some(
    (one) => one.name !== name && !one.process.isCrashed && one.registration.incarnation > 0,
  );
}

/** Plays the history of a seed, three to five faults. Resolves to the world, and what happened in words. */
export async function playHandOffs(
  seed: number,
  variant: HandOffVariant = {},
): Promise<{ readonly world: HandOffWorld; readonly story: readonly string[] }> {
  const random = new SeededRandom(seed);
  const world = new HandOffWorld(random.fork("world"), variant);
  await world.start(random.between(2, 3));
  for (const push of world.pushes) for (const topic of random.some(TOPICS, 50)) world.open(push, topic);
  await world.pass(400);
  const story: string[] = [];
  const startMs = world.clock.monotonicMs();
  const faultAtMs = Array.from({ length: 3 }, () =>
    random.between(1_000, random.pick([6_000, BUSY_MS - 8_000])),
  );
  for (let nowMs = 0; nowMs < BUSY_MS; nowMs = world.clock.monotonicMs() - startMs) {
    while (faultAtMs.some((atMs) => atMs <= nowMs)) {
      faultAtMs.splice(
        faultAtMs.findIndex((atMs) => atMs <= nowMs),
        1,
      );
      const told = random.pick(faults)(world, random);
      if (told) story.push(`${nowMs} ms: ${told}`);
    }
    if (random.chance(0.5)) world.open(random.pick(world.pushes), random.pick(TOPICS));
    if (random.chance(0.6)) world.send(random.pick(world.publishers), random.pick(TOPICS));
    await world.pass(random.pick([20, 60, 200]));
  }
  await world.settle();
  return { world, story };
}
