import assert from "node:assert/strict";
import { createMetrics } from "../../base/metrics.ts";
import type { Publication } from "../../base/publication.ts";
import { Publisher } from "../../channel/publisher/publisher.ts";
import { ChannelService } from "../../channel/service.ts";
import { EveryInstance } from "../../presence/every-instance.ts";
import { FakeRing } from "../../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { entry, PushWorld, threadOf } from "../../testing/worlds/push/push-world.ts";
import { exposeServices } from "./service-metrics.ts";

/** What is shown: values by name, without labels. */
async function shown(services: Parameters<typeof exposeServices>[1]) {
  const metrics = createMetrics({ process: false });
  exposeServices(metrics, services);
  return async (name: string) => (await metrics.getSingleMetric(name)?.get())?.values[0]?.value;
}

describe("The metrics of the hand-off", () => {
  const event = (): Publication =>
    entry({ thread: threadOf(1), seq: 1, from: "ann", to: "bob", text: "hi" }) as Publication;

  it("show what a channel instance broadcast, and what its publisher has to tell again", async () => {
    const [clock, loop] = [new FakeClock(), new ManualLoop()];
    let sure = true;
    const lease = { incarnation: 2, isSure: () => sure };
    const service = new ChannelService({ clock, tick: loop.tick, lease });
    const members = [{ name: "channel-1", address: "", incarnation: 2 }];
    const view = () => ({ state: "known", members, number: 2, hidden: 0 }) as const;
    const ring = { view, onChange: () => () => {}, listAgain: async () => true };
    const publisher = new Publisher({ clock, ring, instance: () => service });
    const read = await shown({ channel: service, repairs: publisher.repairs });
    await publisher.publish(event());
    assert.deepEqual(
      [await read("heddle_channel_publications_total"), await read("heddle_channel_broadcasts_total")],
      [1, 0],
    );
    sure = false;
    await publisher.publish(event());
    assert.equal(await read("heddle_channel_broadcasts_total"), 1);
    assert.equal(await read("heddle_channel_repair_topics"), 2, "of both users");
    sure = true;
    clock.advance(1_000);
    await loop.settle();
    assert.deepEqual(
      [
        await read("heddle_channel_repair_topics"),
        await read("heddle_channel_repairs_total"),
        await read("heddle_channel_repair_overflows_total"),
      ],
      [0, 2, 0],
    );
  });

  it("show what a push server compared", async () => {
    const world = new PushWorld({ linkBytes: 4_000 });
    const read = await shown({ push: world.server });
    await world.live("bob", 1);
    assert.equal(await read("heddle_push_comparisons_total"), 0);
    await world.publish(
      entry({ thread: threadOf(1), seq: 1, from: "ann", to: "bob", text: "x".repeat(8_000) }),
    );
    await world.advance(2_000);
    assert.equal(await read("heddle_push_comparisons_total"), 1, "its link was lost");
  });
});

describe("The metrics of presence", () => {
  it("show changes that an instance has not confirmed", async () => {
    const clock = new FakeClock();
    const { promise: confirmed, resolve: confirm } = Promise.withResolvers<void>();
    const tell = () => confirmed;
    const instance = () => ({ blockChanged: tell, membersChanged: tell, visibilityChanged: tell });
    const everyPresence = new EveryInstance({ clock, registered: new FakeRing(["a"]), instance });
    const read = await shown({ everyPresence });
    assert.equal(await read("heddle_presence_unconfirmed_changes"), 0);
    const told = everyPresence.blockChanged("ann", "bob");
    assert.equal(await read("heddle_presence_unconfirmed_changes"), 1);
    confirm();
    await told;
    assert.equal(await read("heddle_presence_unconfirmed_changes"), 0);
  });
});
