import assert from "node:assert/strict";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { Mirror, servingRing } from "./mirror.ts";
import { Registration, SURE_MS } from "./registration.ts";
import { LEASE_MS, type RegistryChange } from "./registry.ts";
import { SharedRegistry, SharedRegistryClient } from "./shared-registry.ts";

function world() {
  const clock = new FakeClock();
  const shared = new SharedRegistry(clock);
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      await quiet();
    }
  };
  const process = async (name: string) => {
    const client = new SharedRegistryClient(shared);
    const told: (number | "lost")[] = [];
    const registration = new Registration({
      registry: client,
      clock,
      offer: { service: "channel", name, address: `${name}:1`, build: "b" },
      registered: (incarnation) => told.push(incarnation),
      lost: () => told.push("lost"),
    });
    await registration.start();
    return { client, registration, told };
  };
  const mirror = async () => {
    const client = new SharedRegistryClient(shared);
    const made = new Mirror({ registry: client, clock, service: "channel" });
    await made.start();
    return { client, mirror: made, names: () => made.view().members.map(({ name }) => name) };
  };
  return { clock, shared, advance, process, mirror };
}

describe("A registration", () => {
  it("takes the next number of its service, and lives as long as it is kept alive", async () => {
    const { advance, process, mirror, shared } = world();
    const [a, b] = [await process("a"), await process("b")];
    assert.deepEqual([a.registration.incarnation, b.registration.incarnation], [1, 2]);
    await advance(60_000);
    b.registration.stop();
    await advance(LEASE_MS);
    assert.deepEqual((await mirror()).names(), ["a"]);
    assert.equal(shared.list("channel").counter, 2);
  });

  it("is sure for 7 s after it sent the last keepalive that was answered, and again when one is", async () => {
    const { clock, advance, process } = world();
    const { client, registration } = await process("a");
    client.way.isCut = true;
    clock.advance(SURE_MS - 1);
    assert.equal(registration.isSure(), true);
    clock.advance(1);
    assert.equal(registration.isSure(), false);
    client.way.isCut = false;
    await advance(3_000);
    assert.deepEqual([registration.isSure(), registration.incarnation], [true, 1]);
  });

  it("is lost and taken anew, as a newer incarnation, when the lease has run out", async () => {
    const { advance, process } = world();
    const { client, registration, told } = await process("a");
    client.way.isCut = true;
    await advance(LEASE_MS + 1_000);
    client.way.isCut = false;
    await advance(2_500);
    assert.deepEqual([told, registration.incarnation], [[1, "lost", 2], 2]);
  });

  it("loses nothing while the whole registry is away", async () => {
    const { advance, process, shared } = world();
    const { registration, told } = await process("a");
    shared.setAway(true);
    await advance(60_000);
    assert.equal(registration.isSure(), false);
    shared.setAway(false);
    await advance(2_500);
    assert.deepEqual([registration.isSure(), told], [true, [1]]);
  });

  it("is put again, above every number that it had, when the registry went back to a time before it", async () => {
    const { advance, process, shared } = world();
    const empty = shared.backUp();
    const { told } = await process("a");
    shared.restore(empty);
    await advance(2_500);
    assert.deepEqual(told, [1, "lost", 2]);
  });

  it("waits for the lease of a namesake to run out", async () => {
    const { advance, process } = world();
    const first = await process("a");
    const second = await process("a");
    assert.deepEqual(second.told, []);
    first.registration.stop();
    await advance(LEASE_MS + 2_000);
    assert.deepEqual(second.told, [2]);
  });
});

describe("A mirror", () => {
  it("is not loaded before the first list, and lists until it is answered", async () => {
    const { advance, process, shared } = world();
    shared.setAway(true);
    const client = new SharedRegistryClient(shared);
    const made = new Mirror({ registry: client, clock: shared.clock, service: "channel" });
    assert.equal(await made.start(), false);
    assert.equal(made.view().state, "not_loaded");
    shared.setAway(false);
    await process("a");
    await advance(1_500);
    assert.deepEqual([made.view().state, made.view().number], ["known", 1]);
  });

  it("hears of who comes, leaves and goes, later where the watch lags", async () => {
    const { clock, advance, process, mirror } = world();
    const { mirror: made, client, names } = await mirror();
    const { registration } = await process("a");
    assert.deepEqual(names(), ["a"]);
    client.way.lagMs = 3_000;
    await registration.leaving();
    const ring = servingRing(made);
    assert.equal(ring.view().members.length, 1);
    clock.advance(3_000);
    assert.deepEqual([ring.view().members.length, names()], [0, ["a"]]);
    await registration.revoke();
    await process("b");
    assert.deepEqual(names(), ["a"]);
    client.tellLate();
    assert.deepEqual([made.view().state, names()], ["known", ["b"]]);
    await process("c");
    assert.deepEqual(names(), ["b"]);
    await advance(3_000);
    assert.deepEqual(names(), ["b", "c"]);
  });

  it("hears in order where the watch lags, however timers are rounded", async () => {
    const { clock, process, shared } = world();
    const rounded = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (ms: number, callback: () => void) => clock.after(Math.ceil(ms / 1_000) * 1_000, callback),
    };
    const client = new SharedRegistryClient(shared, rounded);
    const told: string[] = [];
    const watcher = {
      changed: (change: RegistryChange) => told.push(change.kind === "put" ? change.entry.name : change.name),
      ended: () => {},
    };
    client.watch("channel", shared.revision, watcher);
    client.way.lagMs = 10_100;
    await process("a"); // Told by a timer of 11 s.
    clock.advance(9_000);
    client.way.lagMs = 0;
    await process("b"); // By one of 2 s, at the same moment, or of 1 s.
    clock.advance(200);
    await process("c"); // By one of 1 s, before those.
    clock.advance(5_000);
    assert.deepEqual(told, ["a", "b", "c"]);
  });

  it("lists again when its watch was cut, and says whether one registered and went meanwhile", async () => {
    const { process, mirror, shared } = world();
    await process("a");
    const { mirror: made, client, names } = await mirror();
    shared.watchers.clear(); // Silently: nothing is heard.
    const b = await process("b");
    await b.registration.revoke();
    await process("c");
    assert.deepEqual(names(), ["a"]);
    client.cutWatches();
    await quiet();
    assert.deepEqual([names(), made.view().number, made.view().hidden], [["a", "c"], 3, 1]);
  });

  it("calls nobody hidden that it has heard of", async () => {
    const { process, mirror } = world();
    const { mirror: made, client } = await mirror();
    const b = await process("b");
    await b.registration.revoke();
    client.cutWatches();
    await quiet();
    assert.deepEqual([made.view().number, made.view().hidden], [1, 0]);
  });

  it("is stale for the time of a lease when the registry went back, and keeps those that it knew", async () => {
    const { advance, process, mirror, shared } = world();
    const empty = shared.backUp();
    const a = await process("a");
    const b = await process("b");
    const { mirror: made, names } = await mirror();
    b.registration.stop();
    shared.restore(empty);
    await quiet();
    assert.deepEqual([made.view().state, names(), made.view().number], ["stale", ["a", "b"], 2]);
    await advance(LEASE_MS);
    assert.deepEqual([made.view().state, names()], ["known", ["a"]]);
    assert.equal(made.view().number, a.registration.incarnation);
    assert.ok(a.registration.incarnation > 1);
  });

  it("lets no publisher wait for a registry that did not answer the time before, and lists once it does", async () => {
    const { advance, process, mirror } = world();
    const { client, mirror: made } = await mirror();
    const ring = servingRing(made);
    client.way.isCut = true;
    client.way.answerMs = 400; // So long it takes to know.
    const answers: boolean[] = [];
    const listAgain = () => void ring.listAgain().then((isAnswered) => answers.push(isAnswered));
    listAgain();
    await advance(2_000);
    assert.deepEqual(answers, [false]);
    listAgain();
    await quiet();
    assert.deepEqual(answers, [false, false], "at once");
    await process("a");
    client.way.isCut = false;
    listAgain();
    await advance(2_000);
    listAgain();
    await advance(2_000);
    assert.equal(answers.at(-1), true);
    assert.deepEqual(
      ring.view().members.map(({ name }) => name),
      ["a"],
    );
  });
});
