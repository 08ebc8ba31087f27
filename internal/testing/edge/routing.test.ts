import assert from "node:assert/strict";
import { Code, type HeddleError } from "../../base/heddle-error.ts";
import { EdgeClient, PROTOCOLS, type Protocol } from "./edge-client.ts";
import { EdgeWorld } from "./edge-world.ts";
import type { PushStandIn } from "./push-stand-in.ts";

describe("Calls through the edge", function () {
  this.timeout(120_000);
  let world: EdgeWorld;
  let [one, two]: PushStandIn[] = [];
  const clients: EdgeClient[] = [];

  before(async () => {
    world = await EdgeWorld.start();
    one = await world.push("push-1");
    two = await world.push("push-2");
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => world?.close());

  const client = (protocol: Protocol, headers: Record<string, string>, from?: string) => {
    const made = new EdgeClient(world, protocol, headers, from);
    clients.push(made);
    return made;
  };
  const bearing = async (name: string) => ({ authorization: `Bearer ${await world.ticket(name)}` });
  const unavailable = (error: HeddleError) => error.code === Code.UNAVAILABLE;

  for (const protocol of PROTOCOLS) {
    describe(`by ${protocol}`, () => {
      it("come to the push server that the ticket names, each time", async () => {
        for (const name of ["push-1", "push-2", "push-1", "push-2", "push-2"]) {
          const caller = client(protocol, await bearing(name));
          const subscribed = await caller.subscribe();
          assert.equal(subscribed.name, name);
          const server = [one, two].find((each) => each?.name === name);
          const before = server?.submits ?? 0;
          await caller.submit();
          assert.equal(server?.submits, before + 1);
          subscribed.close();
        }
      });

      it("cannot choose another by a header", async () => {
        for (const header of ["x-heddle-push", "X-Heddle-Push"]) {
          const caller = client(protocol, { ...(await bearing("push-1")), [header]: "push-2" });
          assert.equal((await caller.subscribe()).name, "push-1");
        }
      });

      it("find no server without a ticket that is good, whatever their headers say: UNAVAILABLE", async () => {
        const forged = await world.ticket("push-1", await world.newKey());
        for (const headers of [{}, { authorization: "Bearer x" }, { authorization: `Bearer ${forged}` }]) {
          const caller = client(protocol, { ...headers, "x-heddle-push": "push-1" });
          await assert.rejects(caller.subscribe(), unavailable);
          await assert.rejects(caller.submit(), unavailable);
        }
      });

      it("find no server where the ticket's is gone: UNAVAILABLE", async () => {
        const caller = client(protocol, await bearing("push-9"));
        await assert.rejects(caller.subscribe(), unavailable);
        await assert.rejects(caller.submit(), unavailable);
      });
    });
  }
});
