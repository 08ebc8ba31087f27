import assert from "node:assert/strict";
import { HeddleError } from "../../base/heddle-error.ts";
import { createLog } from "../../base/log.ts";
import type { ChannelAnswer } from "../../base/publication.ts";
import type { Accepted } from "../../base/send.ts";
import { DRAINED_MS, Publisher } from "../../channel/publisher/publisher.ts";
import { Mirror } from "../../registry/mirror.ts";
import { Registration } from "../../registry/registration.ts";
import { SharedRegistry, SharedRegistryClient } from "../../registry/shared-registry.ts";
import { APPEND_MS } from "../../rpc/links/budget.ts";
import { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import { HookedStore } from "../../testing/fakes/message/message-ports.ts";
import { sendOf } from "../../testing/fakes/message/message-samples.ts";
import { FakeRing } from "../../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { rowViews } from "./assemble.ts";
import { assembleMessageServer } from "./assemble-message.ts";
import { HEARD_MS } from "./held.ts";

/** A message server of the mesh, one channel instance that answers as a test says, and the registry. */
async function world() {
  const clock = new FakeClock();
  const shared = new SharedRegistry(clock);
  const registry = new SharedRegistryClient(shared);
  const servers = new Mirror({ registry, clock, service: "message" });
  await servers.start();
  const logs = new HookedStore();
  const rows = new SqliteThreadStore({ path: ":memory:", clock, tick: (run) => run() });
  const answer = { kind: "exact" as ChannelAnswer["kind"] };
  const told = async (): Promise<ChannelAnswer> => ({ kind: answer.kind, incarnation: 1, subscribed: [] });
  const instance = () => ({ publish: told, broadcast: told, hint: told });
  const publisher = new Publisher({ clock, ring: new FakeRing(["channel-1"]), instance });
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: "warn", destination: { write: (line) => lines.push(JSON.parse(line)) } });
  const offer = { service: "message", name: "message-1", address: "message-1", build: "b" };
  const registration = new Registration({ registry, clock, offer });
  await registration.start();
  const held = assembleMessageServer({
    name: "message-1",
    clock,
    log,
    logs,
    views: rowViews(rows, clock),
    servers,
    publisher,
    presence: { membersChanged: async () => {} },
    history: { deploymentId: new Uint8Array(16), logEpoch: 0 },
    damage: () => {},
    sightRule: "shared-thread",
    register: () => registration,
  });
  const send = () => new Promise<Accepted | HeddleError>((resolve) => held.service.send(sendOf(), resolve));
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await quiet();
    }
  };
  const state = () => shared.list("message").entries[0]?.state ?? "gone";
  return { clock, logs, answer, publisher, lines, held, send, pass, state };
}

describe("A message server in a program of the mesh", () => {
  it("settles a send before its link has to speak for it", async () => {
    const { clock, logs, send, pass } = await world();
    // Slow, but within the deadlines of its calls: only the send's own time ends it.
    const slow = () => new Promise<void>((resolve) => clock.after(2_400, resolve));
    logs.onGet = (read) => slow().then(read);
    logs.onAppend = () => slow().then(() => false);
    let outcome: Accepted | HeddleError | undefined;
    void send().then((settled) => {
      outcome = settled;
    });
    await pass(APPEND_MS - 250);
    assert.ok(outcome instanceof HeddleError, "what it knows is lost");
  });

  it("gives its place up only when what it handed over was told of", async () => {
    const { answer, publisher, lines, held, send, pass, state } = await world();
    answer.kind = "broadcast";
    assert.ok(!((await send()) instanceof HeddleError));
    let hasLeft = false;
    void held.leave().then(() => {
      hasLeft = true;
    });
    await pass(HEARD_MS + 4_000);
    assert.deepEqual([state(), hasLeft, publisher.repairs.size], ["leaving", false, 2]);
    answer.kind = "exact";
    await pass(1_500);
    assert.deepEqual([state(), hasLeft, lines], ["gone", true, []]);
  });

  it("leaves within a bound all the same, and says how many topics are left", async () => {
    const { answer, held, lines, send, pass, state } = await world();
    answer.kind = "broadcast";
    await send();
    void held.leave();
    await pass(HEARD_MS + DRAINED_MS + 500);
    assert.deepEqual([state(), lines.map(({ topics }) => topics)], ["gone", [2]]);
  });
});
