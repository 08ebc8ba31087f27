import assert from "node:assert/strict";
import { inbox, type Publication, type Topic } from "../../base/publication.ts";
import { Mirror, servingRing } from "../../registry/mirror.ts";
import { Registration } from "../../registry/registration.ts";
import { SharedRegistry, SharedRegistryClient } from "../../registry/shared-registry.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { entry, threadOf } from "../../testing/worlds/push/push-world.ts";
import { assembleChannel, MOVE_MS } from "./assemble-channel.ts";

const offer = { service: "channel", name: "channel-1", address: "channel-1:1", build: "b" };
const event = (seq: number): Publication =>
  entry({ thread: threadOf(1), seq, from: "ann", to: "bob", text: "hi" });

describe("A channel instance in a program", () => {
  async function world() {
    const [clock, loop] = [new FakeClock(), new ManualLoop()];
    const shared = new SharedRegistry(clock);
    const registry = new SharedRegistryClient(shared);
    const mirror = new Mirror({ registry: new SharedRegistryClient(shared), clock, service: "channel" });
    await mirror.start();
    let registration: Registration | undefined;
    const channel = assembleChannel({
      clock,
      tick: loop.tick,
      register: (hooks) => {
        registration = new Registration({ registry, clock, offer, ...hooks });
        return registration;
      },
    });
    await registration?.start();
    const advance = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) {
        clock.advance(Math.min(500, ms - passed));
        await loop.settle();
      }
    };
    const { service } = channel;
    /** A push server that subscribes to bob's inbox: the seqs that it got, and whether its link was closed. */
    const attach = () => {
      const got: (number | "closed")[] = [];
      const to = service.attach({
        name: "push-1",
        deliver: ({ seq }: Publication, _topics: readonly Topic[]) => got.push(seq),
        hint: () => {},
        closed: () => got.push("closed"),
      });
      void to.subscribe(inbox("bob"));
      return got;
    };
    const number = () => mirror.view().number;
    const members = () =>
      servingRing(mirror)
        .view()
        .members.map(({ incarnation }) => incarnation);
    return { clock, loop, shared, registry, service, channel, advance, attach, number, members };
  }

  it("is exact while it is registered", async () => {
    const { service, attach, loop, number, members } = await world();
    const got = attach();
    assert.deepEqual(service.publish(event(1), number()).kind, "exact");
    await loop.settle();
    assert.deepEqual([got, members()], [[1], [1]]);
  });

  it("closes its links when its lease is lost, and is exact again as the next incarnation", async () => {
    const { shared, service, attach, advance, number, members } = await world();
    const before = attach();
    shared.loseLease("channel", "channel-1");
    await advance(4_000);
    assert.deepEqual([before, members()], [["closed"], [2]]);
    const after = attach();
    const answer = service.publish(event(2), number());
    assert.deepEqual([answer.kind, answer.incarnation], ["exact", 2]);
    await advance(500);
    assert.deepEqual([before, after], [["closed"], [2]]);
  });

  it("is exact for nobody before others see that it leaves, and flushes its links last", async () => {
    const { registry, channel, service, attach, advance, number, members } = await world();
    const got = attach();
    const said: string[] = [];
    for (const call of ["setState", "revoke"] as const) {
      const real = registry[call].bind(registry) as (...args: unknown[]) => Promise<never>;
      registry[call] = (...args: unknown[]) => {
        said.push(`${call}: ${service.publish(event(said.length + 1), number()).kind}`);
        return real(...args);
      };
    }
    let hasLeft = false;
    const leaving = channel.leave().then(() => {
      hasLeft = true;
    });
    await advance(500);
    assert.deepEqual(said, ["setState: unsure", "revoke: unsure"]);
    assert.deepEqual([members(), got, hasLeft], [[], [1, 2], false]);
    service.broadcast(event(3));
    await advance(MOVE_MS);
    await leaving;
    await advance(500);
    assert.deepEqual([got, hasLeft], [[1, 2, 3, "closed"], true]);
  });

  it("leaves all the same while the registry does not answer", async () => {
    const { registry, channel, advance, attach } = await world();
    const got = attach();
    registry.way.isCut = true;
    const leaving = channel.leave();
    await advance(10_000);
    await leaving;
    await advance(500);
    assert.deepEqual(got, ["closed"]);
  });
});
