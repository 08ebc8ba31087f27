import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { decodeHead, EMPTY_HEAD } from "../../../base/head.ts";
import { ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import type { Publication } from "../../../base/publication.ts";
import type { Accepted, Send } from "../../../base/send.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { BodySchema } from "../../../gen/heddle/message/v1/entry_pb.js";
import { decodeCell } from "../../../message/cells/entry-cell.ts";
import type { MessageStore, Threads } from "../../../message/ports.ts";
import { entryFrame } from "../../../wire/event-frames.ts";
import { directView } from "../../fakes/message/message-ports.ts";
import { MemoryMessageStore } from "../../fakes/stores/memory-message-store.ts";
import { type Fate, Interleaving, quiet } from "../interleaving.ts";
import { AppendServer, type ServerParts, serverParts } from "./append-server.ts";

/** Wraps the parts of a server so that one mechanism of the design is missing. */
export type Variant = (parts: ServerParts, world: AppendWorld) => ServerParts;

/** One send as its client keeps it: an outbox entry, with everything that was ever answered. */
export interface Item {
  readonly userId: string;
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  readonly text: string;
  /** Tries so far. */
  attempt: number;
  /** By `AppendWorld.now`, as is `at` below. */
  readonly firstTriedAt: number;
  /** Each answer that said where it is. All must say the same. */
  readonly accepted: { readonly seq: number; readonly createdAtMs: number; readonly at: number }[];
  /** Whether somebody answered that it is not in the log and never will be. */
  never: boolean;
}

/** Both of them write. */
export const USERS = ["ann", "bob"] as const;
const THREAD = directThreadId("ann", "bob");

/**
 * Two users, two message services on one store, and a reader: the world in which interleavings of appends are tried.
 * What the clients see is noted as it comes, and judged by `verify` against the store (docs/design.md, section 2).
 */
export class AppendWorld {
  /** Entries of a row: few, so that histories cross into the next one. */
  readonly bucketSize: number;
  /** Where the calls of servers wait until a history lets them go on, fail or lose their answers. */
  readonly points: Interleaving;
  readonly store: MessageStore;
  /** In the order in which they were composed. */
  readonly items: Item[] = [];
  /** In the order in which the channel service got them. */
  readonly publications: Publication[] = [];
  /** When the reader asked for the head, and what it was told. */
  readonly headReads: { readonly at: number; readonly seq: number }[] = [];
  /** The highest seq that each user holds. */
  readonly held = new Map<string, number>(USERS.map((user) => [user, 0]));
  /** Undefined until it has opened. `waiting`: what came by the stream before its head had been compared. */
  reader: { held: number; listening: boolean; readonly waiting: number[] } | undefined;
  #step = 0;
  /** Counts starts of servers, so that each has a name of its own among the points. */
  #incarnation = 0;
  readonly #names: string[] = [];
  readonly #variant: Variant;
  readonly #servers: AppendServer[];
  readonly #settle: () => Promise<void>;

  /** `settle` resolves when nothing goes on by itself, the calls of `store` included. */
  constructor(
    bucketSize: number,
    variant: Variant = (parts) => parts,
    store: MessageStore = new MemoryMessageStore(),
    settle = quiet,
  ) {
    this.bucketSize = bucketSize;
    this.store = store;
    this.points = new Interleaving(settle);
    this.#settle = settle;
    this.#variant = variant;
    this.#servers = [this.#start(0), this.#start(1)];
  }

  /** Counts what happens; also the servers' wall clock. */
  get now(): number {
    return this.#step;
  }

  /** A new send, based on what the user holds now. It is not tried yet. */
  compose(user: string, text: string): Item {
    const clientId = new Uint8Array(16);
    clientId[15] = this.items.length + 1;
    const baseSeq = this.held.get(user) ?? 0;
    const item = {
      userId: user,
      clientId,
      baseSeq,
      text,
      attempt: 0,
      firstTriedAt: this.#step,
      accepted: [],
      never: false,
    };
    this.items.push(item);
    return item;
  }

  /** Tries a send once more, at either server. */
  async send(item: Item, server: number): Promise<void> {
    if (item.never) return;
    item.attempt += 1;
    const send: Send = {
      userId: item.userId,
      threadId: undefined,
      toUserId: item.userId === "ann" ? "bob" : "ann",
      clientId: item.clientId,
      baseSeq: item.baseSeq,
      logEpoch: 0,
      attempt: item.attempt,
      body: create(BodySchema, { kind: { case: "text", value: { text: item.text } } }),
      originSession: "",
    };
    const outcome = await this.#server(server).send(send);
    // An answer to an earlier attempt says nothing of a later one: a client has stopped listening for it by then.
    const superseded = outcome instanceof HeddleError && send.attempt < item.attempt;
    if (!superseded) this.#note(item, outcome);
  }

  /** A client asks what became of a send, and has it sealed or not. */
  async resolve(item: Item, server: number, seal: boolean): Promise<void> {
    const { userId, clientId, baseSeq } = item;
    const inquiry = { userId, threadId: THREAD, toUserId: "", clientId, baseSeq, seal };
    const resolution = await this.#server(server).resolver.resolve(inquiry).catch(expectKnown);
    if (!resolution || resolution === "unknown") return;
    if (resolution === "never" || resolution.isVoid) item.never = true;
    else this.#note(item, resolution);
  }

  /** A user reads history: what it holds grows, and later sends name it as their base. */
  async pull(user: string): Promise<void> {
    this.held.set(user, await this.#headSeq());
  }

  /** The reader of promise 5 subscribes, compares heads, and listens. */
  async open(server: number): Promise<void> {
    this.reader ??= { held: 0, listening: false, waiting: [] };
    const { reader } = this;
    const at = this.#step;
    const head = await this.#server(server).heads.readHead(hex(THREAD), THREAD, 0).catch(expectKnown);
    if (!head) return;
    this.headReads.push({ at, seq: head.seq });
    reader.held = Math.max(reader.held, head.seq);
    reader.listening = true;
    for (const seq of reader.waiting.splice(0)) reader.held = Math.max(reader.held, seq);
  }

  /** Lets calls that wait go on, as the interleaving picks them, with this fate. */
  advance(pick: number, times: number, fate: Fate): Promise<void> {
    return this.points.advanceSome(pick, times, fate);
  }

  /** Resolves when all that can go on by itself has done so; time has passed then. */
  async rest(): Promise<void> {
    await this.#settle();
    this.#step += 1;
  }

  /** Stops a server for ever and starts another in its place. */
  crash(server: number): void {
    this.points.stop(this.#name(server));
    this.#servers[server % 2] = this.#start(server % 2);
  }

  /** Lets everything come to rest, and has the clients bring each send to an end. */
  async finish(): Promise<void> {
    await this.points.drain();
    for (const item of this.items) {
      for (let round = 0; round < 5 && item.accepted.length === 0 && !item.never; round++) {
        const trying = round < 2 ? this.send(item, round) : this.resolve(item, round, true);
        await Promise.all([trying, this.#settle().then(() => this.points.drain())]);
      }
    }
    if (this.reader && !this.reader.listening)
      await Promise.all([this.open(0), this.#settle().then(() => this.points.drain())]);
    await this.points.drain();
  }

  /** Judges what was seen against the promises. Throws AssertionError. */
  async verify(): Promise<void> {
    const log = await this.#readLog();
    this.#verifyItems(log);
    for (const { seq, frame } of this.publications) {
      const cell = log[seq - 1]?.cell;
      assert.ok(cell, `seq ${seq} was published and is not in the log (promise 1)`);
      assert.equal(
        hex(frame),
        hex(entryFrame(THREAD, seq, cell)),
        `seq ${seq} has other bytes as published (promise 6)`,
      );
    }
    const acknowledged = this.items.flatMap((item) => item.accepted);
    for (const read of this.headReads) {
      const missed = acknowledged.find(({ at, seq }) => at < read.at && seq > read.seq);
      assert.ok(!missed, `a head read as ${read.seq} after seq ${missed?.seq} was acknowledged (promise 2)`);
    }
    if (!this.reader?.listening) return;
    const missed = acknowledged.find(({ seq }) => seq > (this.reader?.held ?? 0));
    assert.ok(!missed, `the reader never heard of seq ${missed?.seq} (promise 5)`);
  }

  /** Asserts that an acknowledged entry is in the store at this moment. */
  async verifyDurable(): Promise<void> {
    for (const item of this.items) {
      const answer = item.accepted.at(-1);
      if (!answer) continue;
      const row = { threadId: THREAD, bucket: Math.floor((answer.seq - 1) / this.bucketSize) };
      const { entries } = await this.store.get(row, { entries: { fromSeq: answer.seq, toSeq: answer.seq } });
      assert.ok(entries.length > 0, `seq ${answer.seq} was acknowledged and is not stored (promise 1)`);
    }
  }

  /**
   * Promises 2 to 4 of each send: in the log at most once and where it was said, never after it was said never, and in
   * an order that no client can tell from the order in which it sent.
   */
  #verifyItems(log: readonly { readonly cell: Uint8Array }[]): void {
    const cells = log.map(({ cell }) => decodeCell(cell));
    for (const [at, item] of this.items.entries()) {
      const places = cells.flatMap((cell, index) => {
        const isMine = cell.sender === item.userId && hex(cell.clientId) === hex(item.clientId);
        return isMine && cell.body?.kind.case === "text" ? [index + 1] : [];
      });
      assert.ok(places.length <= 1, `send ${at} is in the log at ${places} (promise 3)`);
      assert.ok(
        !(item.never && places.length > 0),
        `send ${at} is in the log at ${places}, said never (promise 4)`,
      );
      for (const { seq, createdAtMs } of item.accepted) {
        assert.equal(seq, places[0], `send ${at} was acknowledged at another seq (promise 3)`);
        assert.equal(
          createdAtMs,
          Number(cells[seq - 1]?.createdAtMs),
          `send ${at}: not the stored cell was answered`,
        );
      }
      const first = item.accepted[0];
      const later =
        first &&
        this.items.find(
          (other) =>
            other.firstTriedAt > first.at && (other.accepted[0]?.seq ?? Number.POSITIVE_INFINITY) < first.seq,
        );
      assert.ok(!later, `send ${at} was acknowledged before another began, and stands after it (promise 2)`);
    }
  }

  /**
   * All entries of the store, read past the servers; a hole, a wrong ordinal or a head unlike its entries is found
   * here.
   */
  async #readLog(): Promise<{ cell: Uint8Array }[]> {
    const log: { cell: Uint8Array }[] = [];
    let ordinal = 0;
    for (let bucket = 0; ; bucket++) {
      const range = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
      const row = await this.store.get({ threadId: THREAD, bucket }, { head: true, entries: range });
      for (const { seq, value } of row.entries) {
        assert.equal(seq, log.length + 1, "the log has a hole, or two entries at one seq (promise 2)");
        if (decodeCell(value).body?.kind.case === "text") ordinal += 1;
        assert.equal(Number(decodeCell(value).ordinal), ordinal, `seq ${seq} has a wrong ordinal`);
        log.push({ cell: value });
      }
      const head = row.head ? decodeHead(row.head) : { ...EMPTY_HEAD, seq: log.length, ordinal };
      assert.deepEqual(
        [head.seq, head.ordinal],
        [log.length, ordinal],
        `row ${bucket} has a head unlike its entries`,
      );
      if (!row.head) return log;
    }
  }

  /** The newest seq, found by the rows: what a client that reads all history would hold. */
  async #headSeq(): Promise<number> {
    let seq = 0;
    for (let bucket = 0; ; bucket++) {
      const { head } = await this.store.get({ threadId: THREAD, bucket }, { head: true });
      if (!head) return seq;
      seq = decodeHead(head).seq;
    }
  }

  /** What a client makes of an outcome. An error leaves a send open, unless it says that it never will be committed. */
  #note(item: Item, outcome: Pick<Accepted, "seq" | "createdAtMs"> | HeddleError): void {
    if (!(outcome instanceof HeddleError)) {
      item.accepted.push({ seq: outcome.seq, createdAtMs: outcome.createdAtMs, at: this.#step });
    } else if (outcome.committedNever) item.never = true;
    else if (outcome.reason === ErrorReason.FAULT) throw outcome;
  }

  #server(server: number): AppendServer {
    return this.#servers[server % 2] as AppendServer;
  }

  #name(server: number): string {
    return this.#names[server % 2] as string;
  }

  #start(place: number): AppendServer {
    this.#incarnation += 1;
    const name = `server ${this.#incarnation}`;
    this.#names[place] = name;
    return new AppendServer(this.#variant(this.#parts(name), this));
  }

  /** The parts of a server whose every call on a port stops at points of its own name. */
  #parts(name: string): ServerParts {
    const { points, store, bucketSize } = this;
    // The wall clock moves with the steps; no timer ever fires, as no deadline may decide a history.
    const clock = { nowMs: () => 1_000_000 + this.#step, monotonicMs: () => 0, after: () => () => {} };
    const reached: MessageStore = {
      checkAndPut: (...args) => points.call(name, "message", true, () => store.checkAndPut(...args)),
      put: (...args) => points.call(name, "message", true, () => store.put(...args)),
      get: (...args) => points.call(name, "message", false, () => store.get(...args)),
    };
    const threads: Threads = {
      view: async () => directView("ann", "bob"),
      createDirect: async () => {},
      touch: () => points.call(name, "thread", true, async () => {}),
      raiseRead: async () => {},
      noteWriter: async () => {},
    };
    const publish = (publication: Publication) =>
      points.call(name, "channel", false, () => this.#deliver(publication));
    return serverParts({ store: reached, threads, channel: { publish }, clock, bucketSize });
  }

  /** The channel service: a reader that has not compared heads yet must keep what comes meanwhile. */
  async #deliver(publication: Publication) {
    this.publications.push(publication);
    const { reader } = this;
    if (reader?.listening) reader.held = Math.max(reader.held, publication.seq);
    else reader?.waiting.push(publication.seq);
    return { subscribed: [true, true], revision: 0, incomplete: false };
  }
}

/** A call that failed leaves its outcome unknown; anything that is not one of our errors is a fault. */
function expectKnown(error: unknown): undefined {
  if (!(error instanceof HeddleError)) throw error;
}
