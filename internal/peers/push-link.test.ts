import assert from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { ErrorReason } from "../base/heddle-error.ts";
import type { Member, RingView } from "../base/ring.ts";
import { PushInternalService } from "../gen/heddle/push/v1/push_internal_service_pb.js";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { LinkClient } from "../rpc/links/link-client.ts";
import { LinkServer } from "../rpc/links/link-server.ts";
import { eventLoopTick } from "../stream/each-tick.ts";
import { WAYS } from "../testing/fakes/streams/linked.ts";
import type { ServeLink } from "./link-listener.ts";
import { PushClients } from "./push-client.ts";
import { pushHandlers } from "./push-server.ts";

for (const [way, serve] of WAYS) {
  describe(`The push servers over ${way}`, () => {
    let closes: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closes.reverse()) await close();
      closes = [];
    });

    /** Push servers with the devices that have a stream there. */
    async function world(servers: Record<string, readonly string[]>) {
      const links = new Map<string, LinkClient>();
      for (const [name, devices] of Object.entries(servers)) {
        const devicesOf = (userId: string) => (userId === "ann" ? devices : []);
        const open: ServeLink = (below) => {
          new LinkServer({ ...below, service: "push", handlers: pushHandlers({ devicesOf }) });
        };
        const served = await serve(PushInternalService, open, systemClock);
        const context = { clock: systemClock, tick: eventLoopTick, limits: DEFAULT_LIMITS };
        const link = new LinkClient({ ...context, stream: served.dial(), service: "push" });
        links.set(name, link);
        closes.push(
          () => served.close(),
          () => link.close(),
        );
      }
      const members = Object.keys(servers).map(
        (name, at): Member => ({ name, address: "", incarnation: at + 1 }),
      );
      let view: RingView = { state: "known", members, number: members.length, hidden: 0 };
      const clients = new PushClients({ view: () => view }, ({ name }) => {
        const link = links.get(name);
        assert.ok(link);
        return link;
      });
      return { links, clients, show: (state: RingView["state"]) => (view = { ...view, state }) };
    }

    const unavailable = { reason: ErrorReason.PEER_UNAVAILABLE };

    it("say together which devices have a stream, each once", async () => {
      const { clients } = await world({ "push-1": ["phone", "tablet"], "push-2": [], "push-3": ["phone"] });
      assert.deepEqual(await clients.devicesOf("ann"), ["phone", "tablet"]);
      assert.deepEqual(await clients.devicesOf("bob"), []);
    });

    it("say nothing while one of them does not answer, or it is not known which there are", async () => {
      const { links, clients, show } = await world({ "push-1": ["phone"], "push-2": [] });
      show("stale");
      assert.deepEqual(await clients.devicesOf("ann"), ["phone"], "what was known last");
      show("not_loaded");
      await assert.rejects(clients.devicesOf("ann"), unavailable);
      show("known");
      links.get("push-2")?.close();
      await assert.rejects(clients.devicesOf("ann"), unavailable);
    });
  });
}
