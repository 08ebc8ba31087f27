import assert from "node:assert/strict";
import { inbox, type Publication, type Topic } from "../base/publication.ts";
import type { Channel as MessageChannel } from "../message/ports.ts";
import type { Channel as PushChannel } from "../push/ports.ts";
import { FakeClock } from "../testing/fakes/fake-clock.ts";
import { ManualLoop } from "../testing/fakes/manual-loop.ts";
import { entry, threadOf } from "../testing/worlds/push-world.ts";
import type { Link } from "./ports.ts";
import { type Attachment, ChannelService, INCOMPLETE_MS } from "./service.ts";

/** A push server's end of a link, which keeps what it is told. */
class RecordingLink implements Link {
  readonly name: string;
  readonly delivered: { readonly seq: number; readonly topics: readonly Topic[] }[] = [];
  closures = 0;
  throws = false;

  constructor(name: string) {
    this.name = name;
  }

  deliver(publication: Publication, topics: readonly Topic[]): void {
    if (this.throws) throw new Error("no");
    this.delivered.push({ seq: publication.seq, topics });
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
  const registry = { revision: 3 };
  const size = linkBytes === undefined ? {} : { linkBytes };
  const service = new ChannelService({ clock, registry, tick: loop.tick, ...size });
  const attach = (name: string) => {
    const link = new RecordingLink(name);
    return { link, attachment: service.attach(link) };
  };
  const publish = (seq: number, text = "hi") =>
    service.publish(entry({ thread: threadOf(1), seq, from: "ann", to: "bob", text }));
  return { clock, loop, registry, service, attach, publish };
}

describe("ChannelService", () => {
  it("is what publishers and push servers ask for", () => {
    const { service } = world();
    const ports: MessageChannel & PushChannel = service;
    assert.ok(ports);
  });

  it("delivers once to a link that subscribes to several topics, naming them all", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(ann);
    await attachment.subscribe(bob);
    await publish(1);
    loop.turn();
    assert.deepEqual(link.delivered, [{ seq: 1, topics: [ann, bob] }]);
    assert.deepEqual(service.counters, { publications: 1, deliveries: 1, linksLost: 0 });
  });

  it("delivers to each link with a subscriber and to no other, each with its own topics", async () => {
    const { loop, attach, publish, service } = world();
    const [one, two, three] = [attach("one"), attach("two"), attach("three")];
    await one.attachment.subscribe(ann);
    await two.attachment.subscribe(bob);
    await three.attachment.subscribe(inbox("cyn"));
    const handOff = await publish(1);
    loop.turn();
    assert.deepEqual(
      [one, two, three].map(({ link }) => link.delivered.map(({ topics }) => topics)),
      [[[ann]], [[bob]], []],
    );
    assert.deepEqual(handOff, { subscribed: [true, true], revision: 3, incomplete: false });
    assert.equal(service.counters.deliveries, 2);
  });

  it("says per topic whether anybody subscribes, and which revision it knows", async () => {
    const { registry, attach, publish } = world();
    await attach("one").attachment.subscribe(bob);
    registry.revision = 4;
    assert.deepEqual(await publish(1), { subscribed: [false, true], revision: 4, incomplete: false });
  });

  it("delivers in order, per tick, and not before the tick", async () => {
    const { loop, attach, publish } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(bob);
    for (const seq of [1, 2, 3]) await publish(seq);
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
    await publish(1);
    attachment.unsubscribe(bob);
    const handOff = await publish(2);
    loop.turn();
    assert.deepEqual(handOff.subscribed, [false, false]);
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
    await publish(1);
    loop.turn();
    assert.equal(link.delivered.length, 1);
    attachment.unsubscribe(bob);
    assert.deepEqual((await publish(2)).subscribed, [false, false]);
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

    it("closes that link, tells it, and says that its topics are incomplete", async () => {
      const { loop, publish, one, service } = await full();
      const answers = [await publish(1, "x".repeat(1_000)), await publish(2, "x".repeat(1_000))];
      assert.deepEqual(
        answers.map(({ incomplete }) => incomplete),
        [false, true],
      );
      assert.equal(one.link.closures, 0, "not while it publishes");
      loop.turn();
      assert.equal(one.link.closures, 1);
      assert.deepEqual(one.link.delivered, [], "nothing is skipped: the push server compares");
      assert.equal(service.counters.linksLost, 2);
      assert.deepEqual(await publish(3), { subscribed: [false, false], revision: 3, incomplete: true });
    });

    it("costs the other links nothing", async () => {
      const { loop, publish, attach } = await full();
      const three = attach("three");
      await publish(1, "x".repeat(1_000));
      await three.attachment.subscribe(bob);
      await publish(2, "x".repeat(1_000));
      loop.turn();
      assert.deepEqual(
        three.link.delivered.map(({ seq }) => seq),
        [2],
      );
    });

    it("lets it attach and subscribe again", async () => {
      const { loop, publish, attach } = await full();
      await publish(1, "x".repeat(3_000));
      loop.turn();
      const again = attach("one");
      await again.attachment.subscribe(ann);
      await publish(2);
      loop.turn();
      assert.deepEqual(
        again.link.delivered.map(({ seq }) => seq),
        [2],
      );
    });
  });

  describe("when a link is lost without a goodbye", () => {
    const lose: Record<string, (attachment: Attachment, link: RecordingLink) => void> = {
      "because its connection broke": (attachment) => attachment.lost(),
      "because it threw": (_, link) => {
        link.throws = true;
      },
    };
    for (const [how, act] of Object.entries(lose)) {
      it(`answers incomplete for its topics for 60 s (${how})`, async () => {
        const { clock, loop, attach, publish, service } = world();
        const { link, attachment } = attach("one");
        await attachment.subscribe(ann);
        act(attachment, link);
        await publish(1);
        loop.turn();
        assert.equal((await publish(2)).incomplete, true);
        clock.advance(INCOMPLETE_MS - 1);
        assert.equal((await publish(3)).incomplete, true);
        clock.advance(1);
        assert.equal((await publish(4)).incomplete, false);
        assert.equal(service.topics, 0);
      });
    }

    it("leaves other topics complete, and the other links theirs", async () => {
      const { loop, attach, publish } = world();
      const one = attach("one");
      const two = attach("two");
      await one.attachment.subscribe(inbox("cyn"));
      await two.attachment.subscribe(bob);
      one.attachment.lost();
      assert.deepEqual(await publish(1), { subscribed: [false, true], revision: 3, incomplete: false });
      loop.turn();
      assert.equal(two.link.delivered.length, 1);
    });
  });

  it("forgets a link that says goodbye, and calls nothing incomplete", async () => {
    const { loop, attach, publish, service } = world();
    const { link, attachment } = attach("one");
    await attachment.subscribe(ann);
    await publish(1);
    attachment.close();
    loop.turn();
    assert.deepEqual(await publish(2), { subscribed: [false, false], revision: 3, incomplete: false });
    assert.deepEqual([link.delivered, link.closures, service.topics], [[], 0, 0]);
  });

  it("resolves no subscription of a link that has ended", async () => {
    const { attach } = world();
    const { attachment } = attach("one");
    attachment.lost();
    let resolved = false;
    void attachment.subscribe(ann).then(() => {
      resolved = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resolved, false);
  });
});
