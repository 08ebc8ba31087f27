import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { systemClock as clock, sleep } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { etcdEngine, type RunningEtcd } from "../../engines/etcd/etcd-engine.ts";
import { TcpWay } from "../../testing/fakes/streams/tcp-way.ts";
import { Mirror, type MirrorView } from "../mirror.ts";
import { Registration } from "../registration.ts";
import { LEASE_MS, type Registry, RegistryAway } from "../registry.ts";
import type { EtcdRegistry } from "./etcd-registry.ts";
import { openRegistry } from "./open-registry.ts";

const log = createLog({ level: "silent" });

/** One etcd, with processes that are registered there and mirror one another, on the machine's clock. */
class World {
  readonly folder: string;
  etcd: RunningEtcd;
  readonly #closings: (() => unknown)[] = [];

  private constructor(folder: string, etcd: RunningEtcd) {
    this.folder = folder;
    this.etcd = etcd;
  }

  static async start(members: 1 | 3): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-etcd-"));
    return new World(folder, await etcdEngine.start({ folder: join(folder, "etcd"), members }));
  }

  open(url = this.etcd.url): EtcdRegistry {
    const registry = openRegistry({ url, clock, log });
    this.#closings.unshift(() => registry.close());
    return registry;
  }

  async mirror(registry: Registry = this.open()): Promise<Seen> {
    const mirror = new Mirror({ registry, clock, service: "channel" });
    this.#closings.unshift(() => mirror.close());
    await mirror.start();
    return new Seen(mirror);
  }

  /** Another process, which mirrors the others, as all do: so it knows which numbers were given. */
  async register(name: string, registry = this.open()): Promise<Place> {
    const seen = await this.mirror(registry);
    const place = new Place(name, registry, seen);
    this.#closings.unshift(() => place.registration.revoke());
    await place.registration.start();
    await place.untilSure();
    return place;
  }

  /** A fault: what runs under the name has ended when it resolves. */
  async kill(name: string): Promise<void> {
    const process = this.etcd.processes.get(name);
    process?.kill("SIGKILL");
    await process?.ended;
  }

  /** On what is in its folder now, at the same addresses. */
  async startAgain(): Promise<void> {
    this.etcd = await etcdEngine.start({ folder: join(this.folder, "etcd") });
  }

  /** Gives every place up, and ends what was opened. */
  async closeAll(): Promise<void> {
    for (const close of this.#closings.splice(0)) await close();
  }

  async end(): Promise<void> {
    await this.closeAll();
    await this.etcd.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** A process's own place, and what it was told of it. */
class Place {
  readonly registration: Registration;
  readonly told: (number | "lost")[] = [];
  #answered = () => {};

  constructor(name: string, registry: EtcdRegistry, seen: Seen) {
    const keepAlive = registry.keepAlive.bind(registry);
    registry.keepAlive = (lease) => keepAlive(lease).finally(() => setImmediate(() => this.#answered()));
    this.registration = new Registration({
      registry,
      clock,
      offer: { service: "channel", name, address: `${name}:1`, build: "b" },
      registered: (incarnation) => {
        this.told.push(incarnation);
        this.#answered();
      },
      lost: () => this.told.push("lost"),
      seen: () => seen.mirror.view().number,
    });
  }

  /** Resolves when an answer of etcd has made it sure. */
  async untilSure(): Promise<void> {
    while (!this.registration.isSure()) {
      await new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
    }
  }
}

/** What a process knows of the others, with all that it knew on the way. */
class Seen {
  readonly mirror: Mirror;
  readonly views: MirrorView[] = [];

  constructor(mirror: Mirror) {
    this.mirror = mirror;
    mirror.onChange(() => this.views.push(mirror.view()));
  }

  get names(): string {
    return namesIn(this.mirror.view());
  }

  until(isThere: (view: MirrorView) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!isThere(this.mirror.view())) return;
        stop();
        resolve();
      };
      const stop = this.mirror.onChange(check);
      check();
    });
  }
}

function namesIn(view: MirrorView): string {
  return view.members.map(({ name, incarnation }) => `${name}${incarnation}`).join(" ");
}

describe("Three members of etcd", () => {
  let world: World;

  before(async function () {
    this.timeout(900_000); // etcd is built when it is first needed.
    world = await World.start(3);
  });

  afterEach(() => world.closeAll());

  after(() => world.end());

  it("lose their leader, and nobody loses a lease or misses who comes", async () => {
    const [a, seen] = [await world.register("a"), await world.mirror()];
    const leader = await world.etcd.leader();
    assert.ok(leader);
    await world.kill(leader);
    const b = await world.register("b");
    await seen.until((view) => namesIn(view) === "a1 b2");
    await a.untilSure();
    assert.deepEqual([a.told, b.told, seen.mirror.view().state], [[1], [2], "known"]);
    await world.etcd.restart(leader);
  });

  it("have a paused one among them: calls are answered in time, and watches go on with the others", async () => {
    const leader = await world.etcd.leader();
    const urls = world.etcd.url.split(",");
    const index = leader === "etcd-1" ? 1 : 0;
    const registry = world.open([...urls.slice(index), ...urls.slice(0, index)].join(","));
    const seen = await world.mirror(registry);
    const paused = world.etcd.processes.get(`etcd-${index + 1}`);
    paused?.kill("SIGSTOP");
    try {
      assert.deepEqual((await registry.list("channel")).entries, []);
      const place = await world.register("c", registry);
      await seen.until((view) => view.members.length === 1);
      assert.deepEqual(place.told.length, 1);
    } finally {
      paused?.kill("SIGCONT");
    }
  });

  it("have a paused leader: others lead, and nobody loses a lease", async () => {
    const [a, seen] = [await world.register("a"), await world.mirror()];
    const leader = (await world.etcd.leader()) ?? "";
    const paused = world.etcd.processes.get(leader);
    paused?.kill("SIGSTOP");
    try {
      const b = await world.register("b");
      await seen.until((view) => view.members.some(({ name }) => name === "b"));
      await a.untilSure();
      assert.deepEqual([a.told.length, b.told.length], [1, 1]);
      assert.notEqual(await world.etcd.leader(), leader);
    } finally {
      paused?.kill("SIGCONT");
    }
  });
});

describe("One etcd", function () {
  this.timeout(60_000); // Some wait for leases to run out, of 10 s each.
  let world: World;

  beforeEach(async () => {
    world = await World.start(1);
  });

  afterEach(() => world.end());

  it("is away for longer than a lease: nobody is sure, nobody is lost, and all go on when it is back", async () => {
    const [a, b, seen] = [await world.register("a"), await world.register("b"), await world.mirror()];
    await world.kill("etcd-1");
    await sleep(clock, LEASE_MS + 1_000);
    assert.deepEqual([a.registration.isSure(), b.registration.isSure(), seen.names], [false, false, "a1 b2"]);
    await world.etcd.restart("etcd-1");
    await Promise.all([a.untilSure(), b.untilSure()]);
    await world.register("c");
    await seen.until((view) => view.members.length === 3);
    assert.deepEqual([a.told, b.told], [[1], [2]]);
    assert.ok(seen.views.every((view) => namesIn(view).startsWith("a1 b2")));
  });

  it("cannot be reached by one process for longer than a lease, which comes back as a newer incarnation", async () => {
    const seen = await world.mirror();
    const way = await TcpWay.to(Number(new URL(world.etcd.url).port));
    try {
      const a = await world.register("a", world.open(`http://127.0.0.1:${way.port}`));
      const b = await world.register("b");
      way.cut();
      await seen.until((view) => namesIn(view) === "b2");
      assert.equal(a.registration.isSure(), false);
      way.mend();
      await seen.until((view) => namesIn(view) === "a3 b2");
      await a.untilSure();
      assert.deepEqual([a.told, b.told], [[1, "lost", 3], [2]]);
    } finally {
      way.close();
    }
  });

  it("stands still: calls end in time, and a watch that hears nothing ends, and is taken up when it goes on", async () => {
    const registry = world.open();
    const seen = await world.mirror();
    const { revision } = await registry.list("channel");
    const [changed, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    registry.watch("channel", revision, { changed: () => changed.resolve(), ended: () => ended.resolve() });
    await world.register("a");
    await changed.promise;
    const process = world.etcd.processes.get("etcd-1");
    process?.kill("SIGSTOP");
    try {
      await assert.rejects(registry.list("channel"), RegistryAway);
      await ended.promise;
    } finally {
      process?.kill("SIGCONT");
    }
    await world.register("b");
    await seen.until((view) => namesIn(view) === "a1 b2");
  });

  it("has compacted what a watch asks for: the mirror lists again, and misses nobody", async () => {
    const admin = new Etcd3({ hosts: world.etcd.url });
    const registry = world.open();
    const list = registry.list.bind(registry);
    let lists = 0;
    registry.list = async (service) => {
      const listing = await list(service);
      if (++lists > 1) return listing;
      const offer = { service: "channel", address: "", build: "", state: "serving" } as const;
      for (const name of ["missed", "missed-too"]) await registry.register({ ...offer, name }, 0);
      await admin.kv.compact({ revision: (await list(service)).revision });
      return listing; // Of before: the watch that follows it is below the compaction.
    };
    try {
      const seen = await world.mirror(registry);
      await seen.until((view) => namesIn(view) === "missed1 missed-too2");
      assert.equal(lists, 2);
    } finally {
      admin.close();
    }
  });

  it("was put back to an older state: numbers go on, and the mirror keeps those that it misses until they are back", async () => {
    const [a, b] = [await world.register("a"), await world.register("b")];
    const data = join(world.folder, "etcd");
    await world.etcd.stop();
    await cp(data, join(world.folder, "older"), { recursive: true });
    await world.startAgain();
    await Promise.all([a.untilSure(), b.untilSure()]);
    const seen = await world.mirror();
    const [c, d] = [await world.register("c"), await world.register("d")];
    for (let load = 0; load < 10; load++) await tellLoad(world, load);
    await seen.until((view) => namesIn(view) === "a1 b2 c3 d4");
    seen.views.length = 0;

    await world.etcd.stop();
    await rm(data, { recursive: true });
    await cp(join(world.folder, "older"), data, { recursive: true });
    await world.startAgain();
    await seen.until((view) => view.state === "stale");
    await Promise.all([a, b, c, d].map((place) => place.untilSure()));
    await seen.until((view) => view.state === "known");

    const everyone = /^a1 b2 c[356] d[456]$/;
    assert.deepEqual(
      seen.views.map(namesIn).filter((names) => !everyone.test(names)),
      [],
    );
    assert.deepEqual([a.told, b.told], [[1], [2]]);
    assert.deepEqual(
      [c.told.slice(0, 2), d.told.slice(0, 2)],
      [
        [3, "lost"],
        [4, "lost"],
      ],
    );
    const e = await world.register("e");
    assert.deepEqual([c.told[2], d.told[2], e.registration.incarnation].sort(), [5, 6, 7]);
  });
});

/** Moves etcd's revision on, as push servers do every 2 s. */
async function tellLoad(world: World, load: number): Promise<void> {
  const registry = world.open();
  const grant = await registry.register(
    { service: "push", name: `${load}`, address: "", build: "", state: "serving" },
    0,
  );
  assert.notEqual(grant, "taken");
}
