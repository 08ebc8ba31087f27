import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { LinkItemSchema } from "../../gen/heddle/link/v1/link_pb.js";
import { eventLoopTick } from "../../stream/each-tick.ts";
import { FakeRing } from "../../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { KeptLinks } from "./kept-links.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { LinkMethod } from "./link-methods.ts";
import { LinkServer, serves } from "./link-server.ts";
import { memoryPair } from "./memory-pair.ts";

const ECHO: LinkMethod<typeof LinkItemSchema, typeof LinkItemSchema> = {
  number: 1,
  input: LinkItemSchema,
  output: LinkItemSchema,
};

/** Members that echo, once they are let; what was dialled, asked and closed, in order. */
function world(names?: readonly string[]) {
  const clock = new FakeClock();
  const ring = new FakeRing(names);
  const seen: string[] = [];
  const held: (() => void)[] = [];
  const state = { isHeld: false };
  const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS, service: "echo" };
  const links = new KeptLinks({
    ...context,
    registered: ring,
    dial: ({ address }) => {
      seen.push(`dial ${address}`);
      const pair = memoryPair(eventLoopTick);
      const answer = async (request: object) => {
        seen.push(`ask ${address}`);
        if (state.isHeld) await new Promise<void>((resolve) => held.push(resolve));
        return request;
      };
      new LinkServer({
        ...context,
        stream: pair.far,
        handlers: [serves(ECHO, answer)],
        fault: (error) => HeddleError.from(error, "r1"),
        closed: () => seen.push(`closed ${address}`),
      });
      return pair.near;
    },
  });
  const to = (name: string) =>
    links.to(ring.view().members.find((member) => member.name === name) ?? { address: name, incarnation: 0 });
  const ask = (name: string) => to(name).call(ECHO, {}, 1_000);
  const take = async () => {
    await quiet();
    return seen.splice(0);
  };
  return { clock, ring, links, to, ask, take, held, state };
}

describe("Kept links", () => {
  it("are one for each registration, dialled when first needed", async () => {
    const { ask, take, links } = world(["a", "b"]);
    await Promise.all([ask("a"), ask("a"), ask("b")]);
    await ask("a");
    assert.deepEqual(await take(), ["dial a", "dial b", "ask a", "ask a", "ask b", "ask a"]);
    assert.equal(links.size, 2);
  });

  it("are closed when the member has left", async () => {
    const { ask, take, links, ring } = world(["a", "b"]);
    await Promise.all([ask("a"), ask("b")]);
    await take();
    ring.remove("a");
    assert.deepEqual([await take(), links.size], [["closed a"], 1]);
  });

  it("are closed only when what waits was answered, or given up", async () => {
    for (const isAnswered of [true, false]) {
      const { clock, ask, take, links, ring, held, state } = world(["a"]);
      state.isHeld = true;
      const asked = ask("a").then(
        () => "answered",
        (error: HeddleError) => ErrorReason[error.reason],
      );
      await take();
      ring.remove("a");
      assert.deepEqual([await take(), links.size], [[], 1]);
      if (isAnswered) held[0]?.();
      else clock.advance(1_250);
      assert.equal(await asked, isAnswered ? "answered" : "PEER_UNAVAILABLE");
      assert.deepEqual([await take(), links.size], [["closed a"], 0]);
    }
  });

  it("are dialled for one question to a member that has left, and closed again", async () => {
    const { ask, take, links, ring } = world(["a", "b"]);
    ring.remove("b"); // Somebody still goes through the members of a moment ago.
    await ask("b");
    assert.deepEqual([await take(), links.size], [["dial b", "ask b", "closed b"], 0]);
  });

  it("are dialled anew, through a caller that was kept, while nobody is registered at the address", async () => {
    const { take, to, links, ring } = world(["a"]);
    const caller = to("a");
    await caller.call(ECHO, {}, 1_000);
    ring.remove("a");
    assert.deepEqual(await take(), ["dial a", "ask a", "closed a"]);
    await caller.call(ECHO, {}, 1_000);
    assert.deepEqual([await take(), links.size], [["dial a", "ask a", "closed a"], 0]);
  });

  it("are dialled anew to a member that has registered again, though what waits over the old one does", async () => {
    const { ask, take, links, ring, held, state } = world(["a"]);
    state.isHeld = true; // As if its machine were gone, and nobody told.
    const asked = ask("a");
    await take();
    ring.remove("a");
    ring.add("a");
    state.isHeld = false;
    await ask("a");
    assert.deepEqual([await take(), links.size], [["dial a", "ask a"], 2]);
    held[0]?.();
    await asked;
    assert.deepEqual([await take(), links.size], [["closed a"], 1]);
  });

  it("stay while the members are not loaded", async () => {
    const { ask, take, links } = world();
    await ask("a");
    assert.deepEqual([await take(), links.size], [["dial a", "ask a"], 1]);
  });

  it("are closed all, and dialled no more", async () => {
    const { ask, take, links } = world(["a"]);
    await ask("a");
    await take();
    links.close();
    assert.deepEqual([await take(), links.size], [["closed a"], 0]);
    await assert.rejects(ask("a"), { reason: ErrorReason.PEER_UNAVAILABLE });
    assert.deepEqual([await take(), links.size], [[], 0]);
  });
});
