import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../../base/clock.ts";
import type { RosterEntry } from "../../../base/group.ts";
import { decodeHead, EMPTY_HEAD, type Head } from "../../../base/head.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import type { Publication } from "../../../base/publication.ts";
import { BodySchema, type EntryCell } from "../../../gen/heddle/message/v1/entry_pb.js";
import { decodeCell } from "../../../message/cells/entry-cell.ts";
import type { Blocks, Groups, MessageStore, Threads, ThreadView } from "../../../message/ports.ts";
import { MemoryGroups } from "../../fakes/stores/memory-groups.ts";
import { MemoryMessageStore } from "../../fakes/stores/memory-message-store.ts";
import { AppendServer, type ServerParts, serverParts } from "../append/append-server.ts";
import { type Fate, Interleaving, quiet } from "../interleaving.ts";

/** For how long a touch is in force, in ms. */
const TOUCH_LASTS_MS = 60_000;

/** Something that took effect: when, in the order of all effects and by the store's clock. */
interface Effect {
  readonly tick: number;
  readonly atMs: number;
}

/** One send as its client keeps it. */
export interface Post {
  readonly userId: string;
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  readonly text: string;
  attempt: number;
  readonly accepted: { readonly seq: number; readonly createdAtMs: number }[];
  never: boolean;
}

/** An entry of the log. */
export interface LogEntry {
  readonly cell: EntryCell;
  readonly value: Uint8Array;
}

/** What two servers share. Memory but where a database is tried. */
export interface WorldStores<G extends WorldGroups = WorldGroups> {
  readonly store: MessageStore;
  readonly groups: G;
  /** Resolves when no call of these is under way: where that takes more than turns of the event loop. */
  readonly settle?: () => Promise<void>;
}

/** The rows of groups, and blocks. */
export interface WorldGroups extends Pick<Groups, "roster" | "project" | "changeSeq" | "spanCounts"> {
  between: Blocks["between"];
  view(threadId: Uint8Array, userId: string): Promise<ThreadView | undefined> | ThreadView | undefined;
}

/** Stores in memory: each call takes effect at once, when it is made. */
export const inMemory = (): WorldStores<MemoryGroups> => ({
  store: new MemoryMessageStore(),
  groups: new MemoryGroups(),
});

/**
 * Two message services on one store and one thread service, and one thread: the world in which interleavings of appends
 * with changes of members, settings and blocks are tried. What each call did, and when, is noted where it takes effect.
 */
export abstract class ThreadWorld {
  readonly bucketSize: number;
  readonly threadId: Uint8Array;
  readonly points: Interleaving;
  readonly store: MessageStore;
  readonly groups: WorldGroups;
  readonly publications: Publication[] = [];
  readonly posts: Post[] = [];
  readonly commits = new Map<number, Effect>();
  /** The highest seq that was acknowledged. */
  acknowledged = 0;
  readonly #touches: (Effect & { readonly userId: string })[] = [];
  readonly #held = new Map<string, number>();
  #tick = 0;
  #timeMs = 0;
  #incarnation = 0;
  readonly #names = ["", ""];
  readonly #servers: (AppendServer | undefined)[] = [];
  readonly clock: Clock = {
    nowMs: () => 1_000_000 + this.#timeMs,
    monotonicMs: () => this.#timeMs,
    after: () => () => {},
  };

  constructor(bucketSize: number, threadId: Uint8Array, stores: WorldStores) {
    this.bucketSize = bucketSize;
    this.threadId = threadId;
    this.store = stores.store;
    this.groups = stores.groups;
    this.points = new Interleaving(stores.settle);
  }

  /** The parts of a server, perhaps with one broken. */
  protected abstract vary(parts: ServerParts): ServerParts;
  protected abstract viewOf(userId: string): Promise<ThreadView | undefined>;

  /** The next place in the order of all effects. */
  tick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  pass(seconds: number): void {
    this.#timeMs += 1000 * seconds;
  }

  /** The highest committed seq. */
  get headSeq(): number {
    return this.commits.size;
  }

  server(place: number): AppendServer {
    const at = place % 2;
    this.#servers[at] ??= this.#start(at);
    return this.#servers[at];
  }

  /** Stops a server for ever; another stands in its place. */
  crash(place: number): void {
    const name = this.#names[place % 2];
    if (name) this.points.stop(name);
    this.#servers[place % 2] = undefined;
  }

  advance(pick: number, times: number, fate: Fate): Promise<void> {
    return this.points.advanceSome(pick, times, fate);
  }

  /** The user reads history: later sends name it as their base. */
  pull(userId: string): void {
    this.#held.set(userId, this.headSeq);
  }

  compose(userId: string): Post {
    const n = this.posts.length;
    const clientId = new Uint8Array(16);
    clientId[15] = n + 1;
    const baseSeq = this.#held.get(userId) ?? 0;
    const post = { userId, clientId, baseSeq, text: `text ${n}`, attempt: 0, accepted: [], never: false };
    this.posts.push(post);
    return post;
  }

  /** Tries a send once more. Resolves to the refusal, if it was one that counts. */
  async send(post: Post, place: number): Promise<HeddleError | undefined> {
    if (post.never) return undefined;
    post.attempt += 1;
    const { attempt } = post;
    const outcome = await this.server(place).send({
      userId: post.userId,
      threadId: this.threadId,
      toUserId: "",
      clientId: post.clientId,
      baseSeq: post.baseSeq,
      logEpoch: 0,
      attempt,
      body: create(BodySchema, { kind: { case: "text", value: { text: post.text } } }),
      originSession: "",
    });
    if (!(outcome instanceof HeddleError)) {
      this.acknowledge(outcome.seq);
      post.accepted.push(outcome);
      return undefined;
    }
    if (attempt === post.attempt && outcome.committedNever) post.never = true;
    return outcome;
  }

  /** Has a send resolved, and sealed. */
  async seal(
    { userId, clientId, baseSeq }: Post,
    place: number,
  ): Promise<"sealed" | "committed" | undefined> {
    const inquiry = { userId, threadId: this.threadId, toUserId: "", clientId, baseSeq, seal: true };
    const resolution = await this.server(place).resolver.resolve(inquiry).catch(expectKnown);
    if (!resolution || resolution === "unknown") return undefined;
    if (resolution === "never") return "sealed";
    if (!resolution.isVoid) this.acknowledge(resolution.seq);
    return resolution.isVoid ? "sealed" : "committed";
  }

  /** An answer named this seq: its entry is stored and published, and touches are in force for those it is for. */
  acknowledge(seq: number): void {
    this.acknowledged = Math.max(this.acknowledged, seq);
    assert.ok(this.commits.has(seq), `seq ${seq} was acknowledged and is not stored (promise 1)`);
    const isTold = this.publications.some((publication) => publication.seq === seq);
    assert.ok(isTold, `seq ${seq} was acknowledged and not handed over (promise 1)`);
  }

  /** Whether a touch of the user's row was in force when the entry was committed, or has become visible since. */
  isCovered(userId: string, seq: number, before = Number.POSITIVE_INFINITY): boolean {
    const commit = this.commits.get(seq);
    return this.#touches.some(
      (touch) =>
        touch.userId === userId &&
        touch.tick < before &&
        commit !== undefined &&
        (touch.tick > commit.tick || touch.atMs + TOUCH_LASTS_MS >= commit.atMs),
    );
  }

  /** Projects an entry, as the thread service does: a touch of who comes and who goes, or of `touched` alone. */
  async project(entry: RosterEntry, headBucket: number, touched?: readonly string[]): Promise<number> {
    const before = (await this.groups.roster(entry.threadId))?.appliedSeq ?? 0;
    const applied = await this.groups.project(entry, headBucket);
    const all = [...entry.added.map(({ userId }) => userId), ...entry.removed];
    if (before === entry.previousSeq) await this.#touch(touched ?? all);
    return applied;
  }

  /** Lets everything go on to its end. */
  async drain(...calls: readonly Promise<unknown>[]): Promise<void> {
    await Promise.all([...calls, quiet().then(() => this.points.drain())]);
  }

  /** The log as it stands in the store, and the head of each row. Throws where they do not fit. */
  async readLog(): Promise<readonly LogEntry[]> {
    const log: LogEntry[] = [];
    let [ordinal, membersSeq] = [0, 0];
    for (let bucket = 0; ; bucket++) {
      const entries = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
      const row = await this.store.get({ threadId: this.threadId, bucket }, { head: true, entries });
      for (const { seq, value } of row.entries) {
        assert.equal(seq, log.length + 1, "the log has a hole, or two entries at one seq (promise 2)");
        const cell = decodeCell(value);
        if (cell.body?.kind.case === "text") ordinal += 1;
        assert.equal(Number(cell.ordinal), ordinal, `seq ${seq} has a wrong ordinal`);
        const { case: kind } = cell.body?.kind ?? {};
        if (kind === "memberChange" || kind === "settingChange") membersSeq = seq;
        log.push({ cell, value });
      }
      if (!row.head) return log;
      const head: Head = decodeHead(row.head);
      const expected = { ...EMPTY_HEAD, seq: log.length, ordinal, membersSeq, epoch: head.epoch };
      assert.deepEqual(head, expected, `row ${bucket} has a head unlike its entries`);
    }
  }

  /** Promises 3 and 4 of each send. */
  verifyPosts(log: readonly LogEntry[]): void {
    for (const [at, post] of this.posts.entries()) {
      const places = log.flatMap(({ cell }, place) => {
        const isPost = cell.sender === post.userId && Buffer.from(cell.clientId).equals(post.clientId);
        return isPost && cell.body?.kind.case === "text" ? [place + 1] : [];
      });
      assert.ok(places.length <= 1, `send ${at} is in the log at ${places} (promise 3)`);
      assert.ok(!(post.never && places.length > 0), `send ${at} is in the log, said never (promise 4)`);
      for (const { seq } of post.accepted)
        assert.equal(seq, places[0], `send ${at} was acknowledged at another seq (promise 3)`);
    }
  }

  async #touch(userIds: readonly string[]): Promise<void> {
    const effect = { tick: this.tick(), atMs: this.#timeMs };
    for (const userId of userIds) if (await this.viewOf(userId)) this.#touches.push({ ...effect, userId });
  }

  #start(place: number): AppendServer {
    this.#incarnation += 1;
    const name = `server ${this.#incarnation}`;
    this.#names[place] = name;
    return new AppendServer(this.vary(this.#parts(name)));
  }

  #parts(name: string): ServerParts {
    const { points, store, groups: rows, clock, bucketSize } = this;
    const reached: MessageStore = {
      checkAndPut: (...args) => points.call(name, "message", true, () => this.#append(...args)),
      put: (...args) => points.call(name, "message", true, () => store.put(...args)),
      get: (...args) => points.call(name, "message", false, () => store.get(...args)),
    };
    const threads: Threads = {
      view: (_threadId, userId) => points.call(name, "thread", false, () => this.viewOf(userId)),
      createDirect: async () => {},
      touch: (_threadId, owners) => points.call(name, "thread", true, () => this.#touch(owners)),
      raiseRead: async () => {},
      noteWriter: async () => {},
    };
    const groups: Groups = {
      roster: (...args) => points.call(name, "thread", false, () => rows.roster(...args)),
      project: (...args) => points.call(name, "thread", true, () => this.project(...args)),
      changeSeq: (...args) => points.call(name, "thread", false, () => rows.changeSeq(...args)),
      spanCounts: (...args) => points.call(name, "thread", false, () => rows.spanCounts(...args)),
      noteActivity: async () => {},
    };
    const blocks: Blocks = {
      between: (...args) => points.call(name, "thread", false, () => rows.between(...args)),
      find: async () => undefined,
    };
    const publish = (publication: Publication) =>
      points.call(name, "channel", false, async () => {
        this.publications.push(publication);
        return { subscribed: [], revision: 0, incomplete: false };
      });
    const ports = { store: reached, threads, groups, blocks, channel: { publish } };
    return serverParts({ ...ports, clock, bucketSize });
  }

  readonly #append: MessageStore["checkAndPut"] = async (row, expected, head, entries) => {
    const won = await this.store.checkAndPut(row, expected, head, entries);
    const effect = { tick: this.tick(), atMs: this.#timeMs };
    if (won) for (const { seq } of entries) this.commits.set(seq, effect);
    return won;
  };
}

/** A call that failed leaves its outcome unknown; anything that is not one of our errors is a fault. */
export function expectKnown(error: unknown): undefined {
  if (!(error instanceof HeddleError)) throw error;
}
