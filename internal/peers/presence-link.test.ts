import assert from "node:assert/strict";
import type { ShownPresence } from "../base/presence.ts";
import { PresenceInternalService } from "../gen/heddle/presence/v1/presence_internal_service_pb.js";
import { PresenceService } from "../presence/service.ts";
import { solePlace } from "../presence/sole-place.ts";
import { Visibilities } from "../presence/visibilities.ts";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { LinkClient } from "../rpc/links/link-client.ts";
import { eventLoopTick } from "../stream/each-tick.ts";
import { until } from "../testing/fakes/message/message-samples.ts";
import { WAYS } from "../testing/fakes/streams/linked.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { attachPresence, PresenceClient } from "./presence-client.ts";
import { servePresence } from "./presence-server.ts";

for (const [way, serve] of WAYS) {
  describe(`A presence instance over ${way}`, () => {
    let closes: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closes.reverse()) await close();
      closes = [];
    });

    async function world() {
      const clock = new FakeClock();
      const blocked = new Set<string>();
      const service = new PresenceService({
        clock,
        place: solePlace("push-1"),
        visibilities: new Visibilities({
          readVisibility: async () => "shared",
          setVisibility: async () => {},
        }),
        privacy: { maySee: async (viewer, user) => !blocked.has(`${viewer} ${user}`) },
      });
      const served = await serve(PresenceInternalService, (below) => servePresence(service, below), clock);
      const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS };
      const told: (readonly [user: string, ShownPresence["status"], sessions: readonly string[]])[] = [];
      let closures = 0;
      const attachment = attachPresence(context, served.dial(), {
        name: "push-1",
        told: (userId, { status }, sessions) => told.push([userId, status, sessions]),
        closed: () => closures++,
      });
      const asking = new LinkClient({ ...context, stream: served.dial(), service: "presence" });
      closes.push(
        () => service.close(),
        () => served.close(),
        () => asking.close(),
        () => attachment.close(),
      );
      const closed = () => closures;
      return {
        clock,
        blocked,
        service,
        served,
        told,
        attachment,
        closed,
        thread: new PresenceClient(asking),
      };
    }

    const up = { name: "s1", userId: "bob", ageMs: 10_000 };

    it("takes a digest of many sessions, in parts, as one whole", async () => {
      const { attachment, service } = await world();
      const ups = Array.from({ length: 20_000 }, (_, at) => ({
        name: `session-${at}`,
        userId: `user-of-a-rather-long-name-${at}`,
        ageMs: 5_000.5,
      }));
      await attachment.report({ ring: ["presence"], ups, downs: [] });
      assert.equal(service.sessions, 20_000);
    });

    it("tells sessions that watch, and says hidden before a block is answered", async () => {
      const { attachment, told, blocked, thread } = await world();
      await attachment.report({ ring: ["presence"], ups: [up], downs: [] });
      await attachment.watch({ session: "w1", viewerId: "ann" }, ["bob"]);
      await until(() => told.some(([user, status]) => user === "bob" && status === "online"));
      blocked.add("ann bob");
      await thread.blockChanged("bob", "ann");
      await until(() => told.at(-1)?.[1] === "hidden");
      assert.deepEqual(told.at(-1), ["bob", "hidden", ["w1"]]);
      await thread.membersChanged(["ann"]);
    });

    it("ends the watches of a link that was cut, keeps its sessions, and tells the push server", async () => {
      const { attachment, service, served, closed } = await world();
      await attachment.report({ ring: ["presence"], ups: [up], downs: [] });
      await attachment.watch({ session: "w1", viewerId: "ann" }, ["bob"]);
      assert.equal(service.watches, 1);
      served.cut();
      await until(() => closed() === 1 && service.watches === 0);
      assert.equal(service.sessions, 1);
      await assert.rejects(attachment.report({ ring: undefined, ups: [], downs: [] }));
    });
  });
}
