import assert from "node:assert/strict";
import {
  type Grant,
  type Offer,
  type Registry,
  RegistryAway,
  type RegistryChange,
  type RegistryWatcher,
} from "./registry.ts";

/** A registry that several processes share, and what tests do to it. Services of other tests may be in it. */
export interface SuiteRegistry {
  /** The registry as one more process reaches it. */
  client(): Registry;
  /** Takes a lease away, as its end in time does. */
  loseLease(service: string, name: string): Promise<void>;
  /** Nothing is answered until it is back. */
  setAway(isAway: boolean): Promise<void>;
}

/** What every Registry must do. `current` is asked in each test. */
export function registrySuite(title: string, current: () => SuiteRegistry): void {
  describe(title, () => {
    registrationTests(current);
    leaseTests(current);
    listTests(current);
    watchTests(current);
    awayTests(current);
  });
}

function registrationTests(current: () => SuiteRegistry): void {
  it("gives the numbers of a service in turn, above those that the caller has seen", async () => {
    const [service, registry] = [freshService(), current().client()];
    assert.equal((await granted(registry, offerOf(service, "a"))).incarnation, 1);
    assert.equal((await granted(registry, offerOf(service, "b"), 7)).incarnation, 8);
    assert.equal((await granted(registry, offerOf(service, "c"), 3)).incarnation, 9);
    assert.equal((await granted(registry, offerOf(freshService(), "a"))).incarnation, 1);
  });

  it("gives a place once, and again when it is free, as a newer incarnation", async () => {
    const offer = offerOf(freshService(), "a");
    const [first, second] = [current().client(), current().client()];
    const { lease } = await granted(first, offer);
    assert.equal(await second.register(offer, 0), "taken");
    assert.equal(await first.register(offer, 0), "taken");
    await first.revoke(lease);
    assert.equal((await granted(second, offer)).incarnation, 2);
  });

  it("gives nobody another's number or place when many ask at once", async () => {
    const service = freshService();
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const grants = await Promise.all(
      names.map((name) => granted(current().client(), offerOf(service, name))),
    );
    const numbers = grants.map(({ incarnation }) => incarnation).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from(names, (_, index) => index + 1),
    );
    const offer = offerOf(service, "contended");
    const answers = await Promise.all(names.map(() => current().client().register(offer, 0)));
    assert.equal(answers.filter((answer) => answer === "taken").length, names.length - 1);
    assert.equal((await current().client().list(service)).counter, names.length + 1);
  });
}

function leaseTests(current: () => SuiteRegistry): void {
  it("keeps alive what is there, and says when the lease is gone or was given up", async () => {
    const registry = current().client();
    const offer = offerOf(freshService(), "a");
    const lost = await granted(registry, offer);
    assert.equal(await registry.keepAlive(lost.lease), true);
    await current().loseLease(offer.service, "a");
    assert.equal(await registry.keepAlive(lost.lease), false);
    const { lease } = await granted(registry, offer);
    assert.equal(await registry.keepAlive(lost.lease), false);
    assert.equal(await registry.keepAlive(lease), true);
    await registry.revoke(lease);
    await registry.revoke(lease);
    assert.equal(await registry.keepAlive(lease), false);
  });

  it("puts another state under the key while the lease lives, and not after", async () => {
    const registry = current().client();
    const offer = offerOf(freshService(), "a");
    const { lease, incarnation } = await granted(registry, offer);
    assert.equal(await registry.setState(lease, "leaving"), true);
    const { entries } = await registry.list(offer.service);
    assert.deepEqual(entries, [{ ...offer, state: "leaving", incarnation }]);
    await current().loseLease(offer.service, "a");
    assert.equal(await registry.setState(lease, "serving"), false);
    assert.deepEqual((await registry.list(offer.service)).entries, []);
  });

  it("tells loads by name, until the lease ends", async () => {
    const registry = current().client();
    const service = freshService();
    const [a, b] = [
      await granted(registry, offerOf(service, "a")),
      await granted(registry, offerOf(service, "b")),
    ];
    await granted(registry, offerOf(service, "silent"));
    await registry.tellLoad(a.lease, 3);
    await registry.tellLoad(a.lease, 5);
    await registry.tellLoad(b.lease, 0);
    assert.deepEqual(sorted(await registry.loads(service)), [
      ["a", 5],
      ["b", 0],
    ]);
    await registry.revoke(a.lease);
    await current().loseLease(service, "b");
    await registry.tellLoad(a.lease, 6);
    await registry.tellLoad(b.lease, 6);
    assert.deepEqual(sorted(await registry.loads(service)), []);
  });
}

function listTests(current: () => SuiteRegistry): void {
  it("lists a service alone, with the number that was taken last", async () => {
    const registry = current().client();
    const service = freshService();
    const { history, ...nothing } = await registry.list(service);
    assert.deepEqual({ ...nothing, revision: 0 }, { entries: [], counter: 0, revision: 0 });
    const details = { grpcUrl: "http://127.0.0.1:1", webUrl: "ü" };
    const a = { ...offerOf(service, "a"), details };
    const { lease } = await granted(registry, offerOf(service, "b"));
    await granted(registry, a);
    await granted(registry, offerOf(`${service}2`, "other"));
    await registry.revoke(lease);
    const { entries, counter } = await current().client().list(service);
    assert.equal((await registry.list(service)).history, history);
    assert.deepEqual([entries, counter], [[{ ...a, incarnation: 2 }], 2]);
  });
}

function watchTests(current: () => SuiteRegistry): void {
  it("tells of the changes of a service after a revision, in their order, and not of loads", async () => {
    const registry = current().client();
    const service = freshService();
    const early = await granted(registry, offerOf(service, "early"));
    const { revision } = await registry.list(service);
    const told = new Told();
    const stop = current().client().watch(service, revision, told);
    await granted(registry, offerOf(`${service}2`, "other"));
    const { lease } = await granted(registry, offerOf(service, "a"));
    await registry.tellLoad(lease, 4);
    await registry.setState(lease, "leaving");
    await registry.revoke(lease);
    await current().loseLease(service, "early");
    await granted(registry, offerOf(service, "last"));
    await told.until((changes) => changes.length === 5 || told.hasEnded);
    stop();
    assert.equal(told.hasEnded, false);
    const words = told.changes.map((change) =>
      change.kind === "put"
        ? `${change.entry.name} ${change.entry.incarnation} ${change.entry.state}`
        : `${change.name} ${change.incarnation} removed`,
    );
    const expected = ["a 2 serving", "a 2 leaving", "a 2 removed", "early 1 removed", "last 3 serving"];
    assert.deepEqual([early.incarnation, words], [1, expected]);
    const revisions = told.changes.map((change) => change.revision);
    assert.deepEqual(
      revisions,
      [...revisions].sort((a, b) => a - b),
    );
    assert.ok(revisions.every((at) => at > revision));
  });

  it("tells what it missed between list and watch, or ends", async () => {
    const registry = current().client();
    const service = freshService();
    const { revision } = await registry.list(service);
    await granted(registry, offerOf(service, "a"));
    const told = new Told();
    const stop = registry.watch(service, revision, told);
    assert.deepEqual([told.changes, told.hasEnded], [[], false], "nothing is told within the call");
    await told.until((changes) => changes.length > 0 || told.hasEnded);
    stop();
    if (!told.hasEnded) assert.equal(told.changes.length, 1);
  });

  it("ends from a revision that was not reached yet, as after a registry that went back", async () => {
    const registry = current().client();
    const service = freshService();
    const { revision } = await registry.list(service);
    const told = new Told();
    registry.watch(service, revision + 1_000, told);
    await told.until(() => told.hasEnded);
    assert.deepEqual(told.changes, []);
  });

  it("tells nothing once it is stopped", async () => {
    const registry = current().client();
    const service = freshService();
    const { revision } = await registry.list(service);
    const [stopped, goesOn] = [new Told(), new Told()];
    const stop = registry.watch(service, revision, stopped);
    const stopOther = registry.watch(service, revision, goesOn);
    stop();
    stop();
    await granted(registry, offerOf(service, "a"));
    await goesOn.until((changes) => changes.length === 1);
    stopOther();
    assert.deepEqual([stopped.changes, stopped.hasEnded], [[], false]);
  });
}

function awayTests(current: () => SuiteRegistry): void {
  it("rejects with RegistryAway what is not answered, ends what is watched then, and serves when it is back", async () => {
    const registry = current().client();
    const offer = offerOf(freshService(), "a");
    const { lease } = await granted(registry, offer);
    const { revision } = await registry.list(offer.service);
    await current().setAway(true);
    const told = new Told();
    registry.watch(offer.service, revision, told);
    const answers = await Promise.allSettled([
      registry.register(offerOf(offer.service, "b"), 0),
      registry.keepAlive(lease),
      registry.setState(lease, "leaving"),
      registry.list(offer.service),
      registry.tellLoad(lease, 1),
      registry.loads(offer.service),
      registry.revoke(lease),
    ]);
    for (const answer of answers) {
      assert.ok(answer.status === "rejected" && answer.reason instanceof RegistryAway);
    }
    await told.until(() => told.hasEnded);
    await current().setAway(false);
    const { entries } = await registry.list(offer.service);
    assert.deepEqual(
      entries.map(({ name }) => name),
      ["a"],
    );
  });
}

/** What a watch has told. */
class Told implements RegistryWatcher {
  readonly changes: RegistryChange[] = [];
  hasEnded = false;
  #check = () => {};

  changed(change: RegistryChange): void {
    this.changes.push(change);
    this.#check();
  }

  ended(): void {
    this.hasEnded = true;
    this.#check();
  }

  until(isThere: (changes: readonly RegistryChange[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => isThere(this.changes) && resolve();
      this.#check();
    });
  }
}

let services = 0;

function freshService(): string {
  return `service${++services}-`;
}

function offerOf(service: string, name: string): Offer {
  return { service, name, address: `${name}:1`, build: "b", state: "serving" };
}

async function granted(registry: Registry, offer: Offer, above = 0): Promise<Grant> {
  const grant = await registry.register(offer, above);
  if (grant === "taken") throw new assert.AssertionError({ message: `${offer.name} is taken` });
  return grant;
}

function sorted(loads: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...loads].sort();
}
