import assert from "node:assert/strict";
import { type ChannelAnswer, type Hint, inbox, type Publication, type Topic } from "../base/publication.ts";
import type { ChannelLink, Link as PushLink } from "../push/ports.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../testing/fakes/time/manual-loop.ts";
import { entry, threadOf } from "../testing/worlds/push/push-world.ts";
import { BROADCAST_KEPT_MS } from "./kept-broadcasts.ts";
import type { ChannelInstance, Link } from "./ports.ts";
import { ChannelService } from "./service.ts";

/** A push server's end of a link, which keeps what it is told. */
class RecordingLink implements Link {
  readonly name: string;
  readonly delivered: { readonly seq: number; readonly topics: readonly Topic[] }[] = [];
  readonly hints: Hint[] = [];
  closures = 0;
  throws = false;

  constructor(name: string) {
    this.name = name;
  }

  deliver(publication: Publication, topics: readonly Topic[]): void {
    if (this.throws) throw new Error("no");
    this.delivered.push({ seq: publication.seq, topics });
  }

  hint(hint: Hint): void {
    this.hints.push(hint);
  }

  closed(): void {
    this.closures++;
  }
}

const ann = inbox("ann");
const bob = inbox("bob");

function world(linkBytes?: number) {
  const clock = new FakeClock();
  const loop = new ManualLoop();
  const lease = { incarnation: 3, sure: true, isSure: () => lease.sure };
  const size = linkBytes === undefined ? {} : { linkBytes };
  const service = new ChannelService({ clock, lease, tick: loop.tick, ...size });
  const attach = (name: string) => {
    const link = new RecordingLink(name);
    return { link, attachment: service.attach(link) };
  };
  const event = (seq: number, text = "hi") =>
    entry({ thread: threadOf(1), seq, from: "ann", to: "bob", text });
  const publish = (seq: number, text = "hi", number = 3) => service.publish(event(seq, text), number);
  return { clock, loop, lease, service, attach, event, publish };
}

describe("ChannelService", () => {
  it("is what publishers and push servers ask for", () => {
    const { service } = world();
    const instance: ChannelInstance = service;
    const attach: (link: PushLink) => ChannelLink = (link) => service.attach(link);
    assert.ok(instance && attach);
  });

  it("delivers once to a link that subscribes to several topics, naming them all", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(ann);
    await attachment.subscribe(bob);
    publish(1);
    loop.turn();
    assert.deepEqual(link.delivered, [{ seq: 1, topics: [ann, bob] }]);
    assert.deepEqual(service.counters, { publications: 1, broadcasts: 0, deliveries: 1, linksLost: 0 });
  });

  it("delivers to each link with a subscriber and to no other, each with its own topics", async () => {
    const { loop, attach, publish, service } = world();
    const [one, two, three] = [attach("one"), attach("two"), attach("three")];
    await one.attachment.subscribe(ann);
    await two.attachment.subscribe(bob);
    await three.attachment.subscribe(inbox("cyn"));
    const handOff = publish(1);
    loop.turn();
    assert.deepEqual(
      [one, two, three].map(({ link }) => link.delivered.map(({ topics }) => topics)),
      [[[ann]], [[bob]], []],
    );
    assert.deepEqual(handOff, { kind: "exact", incarnation: 3, subscribed: [true, true] });
    assert.equal(service.counters.deliveries, 2);
  });

  it("says per topic whether anybody subscribes", async () => {
    const { attach, publish } = world();
    await attach("one").attachment.subscribe(bob);
    assert.deepEqual(subscribedIn(publish(1)), [false, true]);
  });

  it("delivers in order, per tick, and not before the tick", async () => {
    const { loop, attach, publish } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    for (const seq of [1, 2, 3]) publish(seq);
    assert.deepEqual(link.delivered, []);
    loop.turn();
    assert.deepEqual(
      link.delivered.map(({ seq }) => seq),
      [1, 2, 3],
    );
  });

  it("delivers what was published before an unsubscribe, and nothing after it", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    publish(1);
    attachment.unsubscribe(bob);
    const handOff = publish(2);
    loop.turn();
    assert.deepEqual(subscribedIn(handOff), [false, false]);
    assert.deepEqual(
      link.delivered.map(({ seq }) => seq),
      [1],
    );
    assert.equal(service.topics, 0);
  });

  it("subscribes once however often it is asked", async () => {
    const { loop, attach, publish } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    await attachment.subscribe(bob);
    publish(1);
    loop.turn();
    assert.equal(link.delivered.length, 1);
    attachment.unsubscribe(bob);
    assert.deepEqual(subscribedIn(publish(2)), [false, false]);
  });

  describe("when a link cannot keep up", () => {
    const full = async () => {
      const made = world(2_000);
      const one = made.attach("one");
      const two = made.attach("two");
      await one.attachment.subscribe(ann);
      await two.attachment.subscribe(bob);
      return { ...made, one, two };
    };

    it("closes that link, and tells it", async () => {
      const { loop, publish, one, service } = await full();
      for (const seq of [1, 2]) assert.equal(publish(seq, "x".repeat(1_000)).kind, "exact");
      assert.equal(one.link.closures, 0, "not while it publishes");
      loop.turn();
      assert.equal(one.link.closures, 1);
      assert.deepEqual(one.link.delivered, [], "nothing is skipped: the push server compares");
      assert.equal(service.counters.linksLost, 2);
      assert.deepEqual(publish(3), { kind: "exact", incarnation: 3, subscribed: [false, false] });
    });

    it("costs the other links nothing", async () => {
      const { loop, publish, attach } = await full();
      const three = attach("three");
      publish(1, "x".repeat(1_000));
      await three.attachment.subscribe(bob);
      publish(2, "x".repeat(1_000));
      loop.turn();
      assert.deepEqual(
        three.link.delivered.map(({ seq }) => seq),
        [2],
      );
    });

    it("lets it attach and subscribe again", async () => {
      const { loop, publish, attach } = await full();
      publish(1, "x".repeat(3_000));
      loop.turn();
      const again = attach("one");
      await again.attachment.subscribe(ann);
      publish(2);
      loop.turn();
      assert.deepEqual(
        again.link.delivered.map(({ seq }) => seq),
        [2],
      );
    });
  });

  describe("when a link is lost without a goodbye", () => {
    const lose: Record<string, (service: ChannelService, link: RecordingLink) => void> = {
      "because its connection broke": (service, link) => service.broke(link),
      "because it threw": (_, link) => {
        link.throws = true;
      },
    };
    for (const [how, act] of Object.entries(lose)) {
      it(`forgets it, and leaves the other links theirs (${how})`, async () => {
        const { loop, attach, publish, service } = world();
        const [one, two] = [attach("one"), attach("two")];
        await one.attachment.subscribe(ann);
        await two.attachment.subscribe(bob);
        act(service, one.link);
        publish(1);
        loop.turn();
        assert.deepEqual(subscribedIn(publish(2)), [false, true]);
        loop.turn();
        assert.deepEqual([one.link.delivered.length, two.link.delivered.length], [0, 2]);
        assert.deepEqual([service.topics, service.counters.linksLost], [1, 1]);
      });
    }
  });

  it("delivers what is queued for a link that says goodbye, and forgets it", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(ann);
    publish(1);
    await attachment.close();
    assert.deepEqual([link.delivered.length, link.closures, service.topics], [1, 0, 0]);
    assert.deepEqual(subscribedIn(publish(2)), [false, false]);
    loop.turn();
    assert.equal(link.delivered.length, 1);
  });

  it("resolves no subscription of a link that has ended", async () => {
    const { attach, service } = world();
    const { link, attachment } = attach("one");
    service.broke(link);
    let resolved = false;
    for (const asked of [attachment.subscribe(ann), attachment.announce(9)]) {
      void asked.then(() => {
        resolved = true;
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resolved, false);
  });

  describe("when it is not sure", () => {
    const unsure: Record<string, (made: ReturnType<typeof world>) => void> = {
      "its lease may be over": ({ lease }) => {
        lease.sure = false;
      },
      "it is leaving": ({ service }) => service.leave(),
    };
    for (const [why, act] of Object.entries(unsure)) {
      it(`queues for all links and says unsure, to whatever number (${why})`, async () => {
        const made = world();
        const { loop, attach, publish, service, event } = made;
        const { link } = attach("one");
        act(made);
        assert.deepEqual(publish(1, "hi", 99), { kind: "unsure", incarnation: 3 });
        assert.deepEqual(service.broadcast(event(2)), { kind: "unsure", incarnation: 3 });
        loop.turn();
        assert.deepEqual(
          link.delivered.map(({ topics }) => topics),
          [
            [ann, bob],
            [ann, bob],
          ],
        );
      });
    }

    it("is sure again when its lease was found alive", () => {
      const { lease, publish } = world();
      lease.sure = false;
      assert.equal(publish(1).kind, "unsure");
      lease.sure = true;
      assert.equal(publish(2).kind, "exact");
    });
  });

  describe("of a publisher whose ring is older", () => {
    it("than its own registration broadcasts", () => {
      const { publish, service } = world();
      assert.deepEqual(publish(1, "hi", 2), { kind: "broadcast", incarnation: 3 });
      assert.equal(service.counters.broadcasts, 1);
    });

    it("than what a push server has announced broadcasts, also when that link has broken", async () => {
      const { attach, publish, service } = world();
      const { link, attachment } = attach("one");
      assert.equal(publish(1).kind, "exact");
      assert.equal(await attachment.announce(5), 3);
      assert.equal(publish(2, "hi", 4).kind, "broadcast");
      service.broke(link);
      assert.equal(publish(3, "hi", 4).kind, "broadcast");
      assert.equal(publish(4, "hi", 5).kind, "exact");
    });
  });

  it("keeps broadcasts for a minute, for links that attach later", () => {
    const { clock, loop, attach, event, service } = world();
    service.broadcast(event(1));
    clock.advance(BROADCAST_KEPT_MS - 1);
    service.broadcast(event(2));
    const early = attach("early").link;
    clock.advance(1);
    const late = attach("late").link;
    loop.turn();
    assert.deepEqual(
      [early, late].map(({ delivered }) => delivered.map(({ seq }) => seq)),
      [[1, 2], [2]],
    );
  });

  it("queues a hint for those who subscribe if it is exact, and nowhere if it is not", async () => {
    const { lease, loop, attach, service } = world();
    const [one, two] = [attach("one"), attach("two")];
    await one.attachment.subscribe(ann);
    const hint: Hint = { topic: ann, seq: 0 };
    lease.sure = false;
    assert.equal(service.hint(hint, 3).kind, "unsure");
    lease.sure = true;
    assert.equal(service.hint(hint, 2).kind, "broadcast");
    loop.turn();
    assert.deepEqual(one.link.hints, []);
    assert.equal(service.hint(hint, 3).kind, "exact");
    loop.turn();
    assert.deepEqual([one.link.hints, two.link.hints], [[hint], []]);
  });

  it("drops all links when its lease is lost, and takes none until it is registered anew", async () => {
    const { lease, loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    await attachment.announce(7);
    lease.incarnation = 0;
    service.leaseLost();
    const refused = attach("one").link;
    loop.turn();
    assert.deepEqual([link.closures, refused.closures, service.topics], [1, 1, 0]);
    lease.incarnation = 8;
    const again = attach("one");
    await again.attachment.subscribe(bob);
    assert.deepEqual(publish(1, "hi", 8), { kind: "exact", incarnation: 8, subscribed: [false, true] });
    assert.equal(again.link.closures, 0);
  });

  it("flushes its links before it closes them when it leaves", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    publish(1);
    service.close();
    assert.equal(link.delivered.length, 1);
    loop.turn();
    assert.equal(link.closures, 1);
  });
});

function subscribedIn(answer: ChannelAnswer): readonly boolean[] {
  return answer.kind === "exact" ? answer.subscribed : assert.fail(answer.kind);
}
