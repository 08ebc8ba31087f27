import assert from "node:assert/strict";
import { type Hint, inbox, type Publication, type Topic } from "../base/publication.ts";
import { ChannelService } from "../channel/service.ts";
import { ChannelInternalService } from "../gen/heddle/channel/v1/channel_internal_service_pb.js";
import type { Link } from "../push/ports.ts";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { LinkClient } from "../rpc/links/link-client.ts";
import { hears, type NoticeHandler } from "../rpc/links/link-methods.ts";
import type { LinkStream } from "../rpc/links/link-stream.ts";
import { eventLoopTick } from "../stream/each-tick.ts";
import { until } from "../testing/fakes/message/message-samples.ts";
import { WAYS } from "../testing/fakes/streams/linked.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { attachChannel, ChannelClient } from "./channel-client.ts";
import { CHANNEL, encodePublication } from "./channel-methods.ts";
import { serveChannel } from "./channel-server.ts";

/** A push server's end, which keeps what it is told. */
class Recorder implements Link {
  readonly name = "push-1";
  readonly delivered: { readonly publication: Publication; readonly topics: readonly Topic[] }[] = [];
  readonly hints: Hint[] = [];
  closures = 0;

  deliver(publication: Publication, topics: readonly Topic[]): void {
    this.delivered.push({ publication, topics });
  }

  hint(hint: Hint): void {
    this.hints.push(hint);
  }

  closed(): void {
    this.closures++;
  }
}

const topics = [inbox("ann"), inbox("bob")];
const event = (seq: number, other: Partial<Publication> = {}): Publication => ({
  kind: "entry",
  topics,
  frame: new Uint8Array([1, 2, seq]),
  thread: "00ff",
  seq,
  ordinal: seq,
  userId: "ann",
  originSession: "",
  ...other,
});

for (const [way, serve] of WAYS) {
  describe(`A channel instance over ${way}`, () => {
    let closes: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closes.reverse()) await close();
      closes = [];
    });

    async function world() {
      const clock = new FakeClock();
      const lease = { incarnation: 3, sure: true, isSure: () => lease.sure };
      const service = new ChannelService({ clock, lease });
      const served = await serve(ChannelInternalService, (below) => serveChannel(service, below), clock);
      const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS };
      const dialled = (stream: LinkStream, notices: readonly NoticeHandler[] = []) => {
        const link = new LinkClient({ ...context, stream, service: "channel", notices });
        closes.push(() => link.close());
        return link;
      };
      const asking = dialled(served.dial());
      const push = new Recorder();
      const attachment = attachChannel(context, served.dial(), push);
      closes.push(
        () => served.close(),
        () => attachment.close(),
      );
      return {
        clock,
        lease,
        service,
        served,
        push,
        attachment,
        dialled,
        publisher: new ChannelClient(asking),
      };
    }

    it("delivers to a link that subscribes, once, naming its topics, every field as it was", async () => {
      const { publisher, attachment, push } = await world();
      await attachment.subscribe(inbox("bob"));
      const events = [
        event(1),
        event(2, { kind: "device_revoked", deviceId: "phone", frame: new Uint8Array(0) }),
        event(3, { kind: "block_changed", otherUserId: "bob", isBlocked: false }),
        event(4, { group: { membersSeq: 2, change: { added: ["__proto__"], removed: [] } } }),
        event(5, { group: { membersSeq: 0 } }),
      ];
      for (const publication of events) {
        const answer = await publisher.publish(publication, 3);
        assert.deepEqual(answer, { kind: "exact", incarnation: 3, subscribed: [false, true] });
      }
      await until(() => push.delivered.length === events.length);
      const got = push.delivered.map(({ publication }) => ({
        ...publication,
        frame: [...publication.frame],
      }));
      assert.deepEqual(
        got,
        events.map((publication) => ({ ...publication, frame: [...publication.frame] })),
      );
      assert.deepEqual(push.delivered[0]?.topics, [inbox("bob")]);
      attachment.unsubscribe(inbox("bob"));
      await attachment.announce(3);
      const answer = await publisher.publish(event(6), 3);
      assert.deepEqual(answer, { kind: "exact", incarnation: 3, subscribed: [false, false] });
    });

    it("broadcasts to publishers of an older ring than was announced, and when it is not sure", async () => {
      const { publisher, attachment, push, lease } = await world();
      assert.equal(await attachment.announce(5), 3);
      assert.deepEqual(await publisher.publish(event(1), 4), { kind: "broadcast", incarnation: 3 });
      assert.deepEqual(await publisher.hint({ topic: inbox("ann"), seq: 0 }, 4), {
        kind: "broadcast",
        incarnation: 3,
      });
      lease.sure = false;
      assert.deepEqual(await publisher.broadcast(event(2)), { kind: "unsure", incarnation: 3 });
      await until(() => push.delivered.length === 2);
      assert.deepEqual(push.delivered[0]?.topics, topics);
      assert.deepEqual(push.hints, []);
    });

    it("gives an event on as it came, what a newer build says in it too", async () => {
      const { served, push, attachment, dialled } = await world();
      await attachment.subscribe(inbox("bob"));
      const newer = new Uint8Array([...encodePublication(event(1)), 0xf8, 0x01, 0x07]); // Field 31 is 7.
      const said: Uint8Array[] = [];
      const other = dialled(served.dial(), [
        hears(CHANNEL.deliver, ({ publication }) => said.push(publication)),
      ]);
      await other.call(CHANNEL.attach, { name: "push-2" }, 1_000);
      await other.call(CHANNEL.subscribe, { topic: inbox("ann") }, 1_000);
      await other.call(CHANNEL.publish, { publication: newer, number: 3n }, 1_000);
      await until(() => said.length === 1 && push.delivered.length === 1);
      assert.deepEqual(said, [newer]);
    });

    it("hints to those who subscribe", async () => {
      const { publisher, attachment, push } = await world();
      await attachment.subscribe(inbox("ann"));
      await publisher.hint({ topic: inbox("ann"), seq: 7 }, 3);
      await until(() => push.hints.length === 1);
      assert.deepEqual(push.hints, [{ topic: inbox("ann"), seq: 7 }]);
    });

    it("delivers what is queued before a goodbye is answered, and calls nothing broken", async () => {
      const { service, attachment, push } = await world();
      await attachment.subscribe(inbox("bob"));
      service.publish(event(1), 3);
      await attachment.close();
      assert.equal(push.delivered.length, 1);
      assert.deepEqual([push.closures, service.counters.linksLost, service.topics], [0, 0, 0]);
    });

    it("tells the push server when the lease is lost, and forgets a link that was cut", async () => {
      const first = await world();
      await first.attachment.subscribe(inbox("bob"));
      first.service.leaseLost();
      await until(() => first.push.closures === 1);
      const second = await world();
      await second.attachment.subscribe(inbox("bob"));
      second.served.cut();
      await until(() => second.push.closures === 1 && second.service.topics === 0);
      assert.equal(second.service.counters.linksLost, 1);
      await assert.rejects(second.publisher.publish(event(1), 3));
    });
  });
}
