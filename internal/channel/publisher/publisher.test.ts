import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import {
  CHANNEL_ANSWER_MS,
  type ChannelAnswer,
  type Hint,
  type Publication,
} from "../../base/publication.ts";
import { rendezvousOrder } from "../../base/rendezvous.ts";
import type { Member, Ring, RingView } from "../../base/ring.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { entry, threadOf } from "../../testing/worlds/push/push-world.ts";
import type { ChannelInstance } from "../ports.ts";
import { DRAINED_MS, Publisher } from "./publisher.ts";
import { REPAIR_EVERY_MS } from "./repair-set.ts";

type Behaviour = "exact" | "broadcast" | "unsure" | "silent" | "unreachable";

/** Instances that behave as a test says, and a ring of them. */
function world(behaviours: Record<string, Behaviour>, options: { readonly repairBytes?: number } = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const members = (names: readonly string[]): Member[] =>
    names.map((name, at) => ({ name, address: "", incarnation: at + 1 }));
  let view: RingView = { state: "known", members: members(Object.keys(behaviours)), number: 7, hidden: 0 };
  let listed: RingView | undefined;
  const ring: Ring = {
    view: () => view,
    onChange: () => () => {},
    listAgain: async () => {
      asked.push("list");
      if (listed) view = listed;
      return listed !== undefined;
    },
  };
  const answer = (name: string, what: string, subscribed: readonly boolean[]) => {
    asked.push(`${what} ${name}`);
    const kind = behaviours[name] ?? "exact";
    if (kind === "silent") return new Promise<ChannelAnswer>(() => {});
    if (kind === "unreachable") throw new Error("no route");
    if (kind !== "exact" || what === "broadcast")
      return Promise.resolve<ChannelAnswer>({ kind: kind === "exact" ? "broadcast" : kind, incarnation: 1 });
    return { kind, incarnation: 1, subscribed };
  };
  const publisher = new Publisher({
    clock,
    ring,
    instance: ({ name }): ChannelInstance => ({
      publish: ({ topics }) =>
        answer(
          name,
          "publish",
          topics.map(() => false),
        ),
      broadcast: ({ topics }) =>
        answer(
          name,
          "broadcast",
          topics.map(() => false),
        ),
      hint: (_: Hint) => answer(name, "hint", []),
    }),
    ...options,
  });
  const owners = (topic: string) => rendezvousOrder(view.members, topic).map(({ name }) => name);
  const become = (names: readonly string[], changes: Partial<RingView> = {}) => {
    listed = { ...view, members: members(names), ...changes };
  };
  return { clock, asked, publisher, behaviours, owners, become, view: () => view };
}

const topic = "thread/aa";
const event = (topics: readonly string[] = [topic]): Publication => ({
  ...entry({ thread: threadOf(1), seq: 5, from: "ann", to: "bob" }),
  topics,
});

describe("Publisher", () => {
  it("asks the owner alone while all is well, and answers at once", () => {
    const { publisher, asked, owners } = world({ a: "exact", b: "exact" });
    assert.deepEqual((publisher.publish(event()) as { subscribed: unknown }).subscribed, [false]);
    assert.deepEqual([asked, publisher.repairs.size], [[`publish ${owners(topic)[0]}`], 0]);
  });

  it("gives each owner the topics that it owns, and puts the answers together", async () => {
    const { publisher, asked, owners } = world({ a: "exact", b: "exact" });
    const names = Array.from({ length: 20 }, (_, at) => `user/${at}`);
    const [first = "", ...others] = names;
    const other = others.find((name) => owners(name)[0] !== owners(first)[0]) ?? "";
    assert.deepEqual((await publisher.publish(event([first, other]))).subscribed, [false, false]);
    assert.deepEqual(asked.toSorted(), ["publish a", "publish b"]);
  });

  for (const behaviour of ["silent", "unreachable", "unsure"] as const) {
    it(`has the next in order broadcast when the owner is ${behaviour}, and says that somebody may be there`, async () => {
      const made = world({ a: "exact", b: "exact", c: "exact" });
      const [owner = "", next] = made.owners(topic);
      made.behaviours[owner] = behaviour;
      const said = made.publisher.publish(event());
      await quiet();
      made.clock.advance(250);
      assert.deepEqual((await said).subscribed, [true]);
      assert.deepEqual(made.asked, [`publish ${owner}`, `broadcast ${next}`]);
      assert.equal(made.publisher.repairs.size, 1);
    });
  }

  it("is content with an owner that broadcasts, and repairs", async () => {
    const made = world({ a: "broadcast" });
    await made.publisher.publish(event());
    assert.deepEqual([made.asked, made.publisher.repairs.size], [["publish a"], 1]);
  });

  it("lists again when all were tried, and tries what is new", async () => {
    const made = world({ a: "unreachable" });
    made.become(["a", "b"]);
    await made.publisher.publish(event());
    assert.deepEqual(made.asked.slice(0, 2), ["publish a", "list"]);
    assert.match(made.asked[2] ?? "", /^(publish|broadcast) b$/);
  });

  it("counts what is unsure if the ring still holds it, also with the registry away", async () => {
    const made = world({ a: "unsure" });
    assert.deepEqual((await made.publisher.publish(event())).subscribed, [true]);
    assert.deepEqual(made.asked, ["publish a", "list"]);
  });

  it("does not count what is unsure once the ring holds a newer incarnation, or none", async () => {
    for (const names of [["x", "a"], []]) {
      const made = world({ a: "unsure" });
      made.behaviours.x = "unreachable";
      made.become(names);
      await assert.rejects(
        async () => made.publisher.publish(event()),
        (error) => error instanceof HeddleError && error.reason === ErrorReason.HAND_OFF_FAILED,
      );
      assert.equal(made.publisher.repairs.size, 0);
    }
  });

  describe("repairs", () => {
    const second = async (made: ReturnType<typeof world>) => {
      made.asked.length = 0;
      made.clock.advance(REPAIR_EVERY_MS);
      await quiet();
    };

    it("every second with one probe per owner, and all the others when it is exact", async () => {
      const made = world({ a: "broadcast" });
      for (const name of ["thread/1", "thread/2", "thread/3"]) await made.publisher.publish(event([name]));
      let isDrained = false;
      void made.publisher.drained().then(() => {
        isDrained = true;
      });
      await second(made);
      assert.deepEqual([made.asked, isDrained], [["hint a"], false]);
      made.behaviours.a = "exact";
      await second(made);
      assert.deepEqual([made.asked.length, made.publisher.repairs.size, isDrained], [3, 0, true]);
      await second(made);
      assert.deepEqual(made.asked, []);
    });

    it("are waited for before a goodbye, those of hand-overs under way too", async () => {
      const made = world({ a: "silent" });
      const accepted = made.publisher.publish(event()) as Promise<unknown>;
      const left: number[] = [];
      void made.publisher.drained().then((topics) => left.push(topics));
      await quiet();
      assert.deepEqual(left, [], "it may have to be repaired");
      made.become(["a", "b"]);
      made.behaviours.b = "broadcast";
      made.clock.advance(CHANNEL_ANSWER_MS);
      await accepted;
      assert.deepEqual([made.publisher.repairs.size, left], [1, []]);
      Object.assign(made.behaviours, { a: "exact", b: "exact" });
      await second(made);
      assert.deepEqual(left, [0]);
    });

    it("are waited for until an owner that is gone has lost its lease, and no longer", async () => {
      const made = world({ a: "broadcast" });
      for (const name of ["thread/1", "thread/2"]) await made.publisher.publish(event([name]));
      const left: number[] = [];
      void made.publisher.drained().then((topics) => left.push(topics));
      for (let ms = 0; ms < DRAINED_MS - REPAIR_EVERY_MS; ms += REPAIR_EVERY_MS) await second(made);
      assert.deepEqual(left, []);
      await second(made);
      assert.deepEqual(left, [2]);
    });

    it("keep one head per topic, within a bound, and nothing of typing", async () => {
      const made = world({ a: "broadcast" }, { repairBytes: 300 });
      for (const name of ["thread/1", "thread/1", "thread/2", "thread/3"])
        await made.publisher.publish(event([name]));
      await made.publisher.publish({ ...event(["user/ann"]), kind: "typing" });
      assert.deepEqual([made.publisher.repairs.size, made.publisher.repairs.counters.overflows], [2, 1]);
    });
  });
});
