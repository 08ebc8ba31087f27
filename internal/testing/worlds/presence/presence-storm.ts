import type { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { type CabledServer, PresenceWorld, say, watch } from "./presence-world.ts";

/** Time moves in steps of this, in ms. */
export const STEP_MS = 250;

export type Shown = "unknown" | "online" | "offline";

const SHOWN: readonly (Shown | undefined)[] = [undefined, "unknown", "online", "offline"];

/** One user who comes and goes, and when that was in truth. */
export class Visitor {
  readonly userId: string;
  /** From when to when the user was there, in ms of the storm; the last one may be open. */
  readonly stays: { readonly fromMs: number; toMs: number }[] = [];
  /** Reconnects at once when a push server dies, and at no other time. */
  readonly isSteady: boolean;
  stream: FakeByteStream | undefined;
  server: CabledServer | undefined;
  nextMs = 0;

  constructor(userId: string, isSteady: boolean) {
    this.userId = userId;
    this.isSteady = isSteady;
  }

  /** The gaps in which the user was not there, the open one at the end among them. */
  get gaps(): { readonly fromMs: number; readonly toMs: number }[] {
    return this.stays.map(({ toMs }, at) => ({
      fromMs: toMs,
      toMs: this.stays[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
    }));
  }
}

/** One who watches, and what the screen shows, as it came. */
export class Watcher {
  readonly userId: string;
  readonly userIds: readonly string[];
  readonly shown = new Map<string, Shown>();
  readonly history: { readonly userId: string; readonly shown: Shown; readonly atMs: number }[] = [];
  /** How long users were shown as unknown, in ms. */
  readonly unknownMs: number[] = [];
  stream: FakeByteStream | undefined;
  server: CabledServer | undefined;
  #received = 0;
  readonly #unknownSinceMs = new Map<string, number>();

  constructor(userId: string, userIds: readonly string[]) {
    this.userId = userId;
    this.userIds = userIds;
  }

  connect(world: PresenceWorld, server: CabledServer): void {
    this.server = server;
    this.stream = world.connect(server, this.userId);
    this.#received = 0;
    watch(this.stream, this.userIds);
  }

  /** Looks at what has come, and acknowledges it. */
  look(atMs: number): void {
    const events = this.stream?.events.splice(0) ?? [];
    if (events.length === 0) return;
    this.#received += events.length;
    for (const { kind } of events) {
      const shown = kind.case === "presence" ? SHOWN[kind.value.status] : undefined;
      if (kind.case === "presence" && shown) this.#show(kind.value.userId, shown, atMs);
    }
    this.stream?.ack(this.#received);
  }

  #show(userId: string, shown: Shown, atMs: number): void {
    if (this.shown.get(userId) === shown) return;
    this.shown.set(userId, shown);
    this.history.push({ userId, shown, atMs });
    const sinceMs = this.#unknownSinceMs.get(userId);
    if (sinceMs !== undefined) this.unknownMs.push(atMs - sinceMs);
    if (shown === "unknown") this.#unknownSinceMs.set(userId, atMs);
    else this.#unknownSinceMs.delete(userId);
  }
}

/**
 * A thousand users, half of them flapping, watched by a thousand others, on push servers that die and an instance that is
 * replaced. Everything between the streams and the registry is real.
 */
export class PresenceStorm {
  readonly world = new PresenceWorld();
  readonly visitors: Visitor[];
  readonly watchers: Watcher[];
  nowMs = 0;
  readonly #random: SeededRandom;
  #servers: CabledServer[];
  #started = 0;

  constructor(random: SeededRandom, count: number, watched: number) {
    this.#random = random;
    const named = (name: string, at: number) => `${name}${at}`;
    this.visitors = Array.from({ length: count }, (_, at) => new Visitor(named("u", at), at % 2 === 0));
    this.watchers = Array.from({ length: count }, (_, at) => {
      const userIds = Array.from({ length: watched }, (_, n) => named("u", (at + n * 37) % count));
      return new Watcher(named("w", at), [...new Set(userIds)]);
    });
    this.#servers = [this.#start(), this.#start()];
  }

  /** Everybody who watches connects. */
  async begin(): Promise<void> {
    await this.world.advance(STEP_MS);
    for (const watcher of this.watchers) watcher.connect(this.world, this.#server());
    await this.world.loop.settle();
  }

  async step(): Promise<void> {
    this.nowMs += STEP_MS;
    for (const visitor of this.visitors) if (visitor.nextMs <= this.nowMs) this.#move(visitor);
    if (this.nowMs % 15_000 === 0) this.#ping();
    await this.world.advance(STEP_MS);
    for (const watcher of this.watchers) watcher.look(this.nowMs);
  }

  /** A push server dies without a word; another one starts, and clients come back to those that live. */
  replaceServer(): void {
    const dead = this.#servers.shift();
    if (!dead) return;
    dead.cut();
    this.world.pushServers.remove(dead.name);
    this.#servers.push(this.#start());
    for (const watcher of this.watchers) {
      if (watcher.server === dead) watcher.connect(this.world, this.#server());
    }
    for (const visitor of this.visitors) {
      if (visitor.server !== dead || !visitor.stream) continue;
      // One in ten never comes back by itself: only its lease says so.
      if (this.#random.chance(0.1)) this.#leave(visitor, this.nowMs, 60_000);
      else this.#comeTo(visitor, this.#server());
    }
  }

  /** So many of those who watch, of 1, open anew, as after a page was loaded again: their screens are empty. */
  watchAnew(share: number): void {
    for (const watcher of this.watchers) {
      if (!watcher.server || !this.#random.chance(share)) continue;
      watcher.stream?.drop();
      watcher.connect(this.world, watcher.server);
    }
  }

  /** A push server that is registered and says nothing: only the 20 s end what a new instance does not know. */
  registerSilent(): void {
    this.world.pushServers.add("silent");
  }

  #start(): CabledServer {
    return this.world.startServer(`push${++this.#started}`);
  }

  #server(): CabledServer {
    return this.#random.pick(this.#servers);
  }

  #move(visitor: Visitor): void {
    if (visitor.stream) {
      visitor.stream.drop();
      const isShort = this.#random.chance(0.6);
      this.#leave(visitor, this.nowMs, isShort ? this.#steps(1, 36) : this.#steps(44, 100));
      return;
    }
    this.#comeTo(visitor, this.#server());
    visitor.stays.push({ fromMs: this.nowMs, toMs: Number.POSITIVE_INFINITY });
    visitor.nextMs = visitor.isSteady ? Number.POSITIVE_INFINITY : this.nowMs + this.#steps(14, 80);
  }

  #leave(visitor: Visitor, atMs: number, forMs: number): void {
    const stay = visitor.stays.at(-1);
    if (stay) stay.toMs = atMs;
    visitor.stream = undefined;
    visitor.server = undefined;
    visitor.nextMs = atMs + forMs;
  }

  #comeTo(visitor: Visitor, server: CabledServer): void {
    visitor.server = server;
    visitor.stream = this.world.connect(server, visitor.userId);
  }

  #steps(least: number, most: number): number {
    return STEP_MS * this.#random.between(least, most);
  }

  #ping(): void {
    const ping = { case: "ping" as const, value: {} as never };
    for (const { stream } of this.watchers) if (stream) say(stream, ping);
    for (const { stream } of this.visitors) if (stream) say(stream, ping);
  }
}
