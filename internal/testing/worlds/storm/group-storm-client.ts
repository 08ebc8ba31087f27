import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { fromHex, hex } from "../../../base/ids.ts";
import { type Entry, EntrySchema } from "../../../gen/heddle/message/v1/entry_pb.js";
import {
  type ListEntriesRequest,
  type ListEntriesResponse,
  ListEntriesResponseSchema,
} from "../../../gen/heddle/message/v1/message_service_pb.js";
import type { Refused } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { PushServer } from "../../../push/service.ts";
import type { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import type { GroupStormServices } from "./group-storm-services.ts";

/** What a client holds of one thread, and what it was told of it. */
export interface HeldThread {
  /** The entries that it was given, by seq. */
  readonly entries: Map<number, { readonly bytes: string; readonly entry: Entry }>;
  /** Its own sends that were accepted: it has composed them. */
  readonly own: Set<number>;
  /** How far it was told that the thread reaches. */
  toldSeq: number;
  /** The first entry that it may see, as far as it knows. */
  firstSeq: number;
  /** A call for a page is under way. */
  isPulling: boolean;
}

/** What clients were told, in all. */
export interface StormCounts {
  /** Sends that were accepted, and that were refused. */
  posts: number;
  refusedPosts: number;
  /** Times that a stream said that it had left entries out. */
  behinds: number;
  /** Entries that came by streams. */
  liveEntries: number;
  /** Pages that were asked for. */
  pulls: number;
}

/** A client of a few lines: it takes what comes, pulls what it was told of and does not hold, and forgets nothing. */
export class GroupStormClient {
  readonly userId: string;
  /** By thread in hex. */
  readonly held = new Map<string, HeldThread>();
  readonly #services: GroupStormServices;
  readonly #number: number;
  readonly #counts: StormCounts;
  #stream: FakeByteStream | undefined;
  #cursor: Uint8Array = new Uint8Array(0);
  /** Events of this stream, for the acks. */
  #received = 0;
  #isCaughtUp = false;
  /** Threads of which it was told more than it holds. */
  readonly #missing = new Set<string>();
  /** Calls without an answer. */
  pending = 0;

  constructor(number: number, services: GroupStormServices, counts: StormCounts) {
    this.userId = `u${number}`;
    this.#number = number;
    this.#services = services;
    this.#counts = counts;
  }

  /** Whether it has caught up, and waits for nothing that it asked for. */
  get isQuiet(): boolean {
    return this.#isCaughtUp && this.pending === 0 && this.#missing.size === 0;
  }

  /** Opens a session on the push server; the one before ends without a word. */
  connect(server: PushServer): void {
    this.#stream?.drop();
    this.#stream = this.#services.stream(this.userId, server);
    this.#received = 0;
    this.#isCaughtUp = false;
    this.#stream.say({ case: "open", value: { deviceId: "phone", cursor: this.#cursor } } as never);
  }

  /** Says that it is there: a silent session is ended. */
  ping(): void {
    this.#stream?.say({ case: "ping", value: {} } as never);
  }

  /** Sends a text to a thread (hex), or to a user. */
  post(to: { readonly thread: string } | { readonly userId: string }, text: string): void {
    const target =
      "thread" in to
        ? { case: "threadId", value: fromHex(to.thread) }
        : { case: "toUserId", value: to.userId };
    const clientId = this.#services.newId();
    const body = { kind: { case: "text", value: { text } } };
    this.#stream?.say({ case: "send", value: { target, clientId, baseSeq: 0n, attempt: 1, body } } as never);
  }

  /** Takes in what has come, acknowledges it, and pulls what it misses. */
  look(): void {
    const events = this.#stream?.events.splice(0) ?? [];
    for (const { kind } of events) {
      if (kind.case === "entry") this.#takeLive(kind.value);
      else if (kind.case === "behind") this.#takeBehind(hex(kind.value.threadId), kind.value.head?.seq);
      else if (kind.case === "threadChanged") {
        const held = this.heldOf(hex(kind.value.threadId));
        held.firstSeq = Math.max(held.firstSeq, Number(kind.value.thread?.joinedSeq ?? 0));
        this.#tell(hex(kind.value.threadId), Number(kind.value.head?.seq ?? 0));
      } else if (kind.case === "accepted")
        this.#takeAccepted(hex(kind.value.threadId), Number(kind.value.seq));
      else if (kind.case === "refused") this.#takeRefused(kind.value);
      else if (kind.case === "caughtUp") this.#takeCaughtUp(kind.value.cursor);
      else if (kind.case === "behindAll") throw new Error("the storm is too small for that");
    }
    this.#pullMissing();
    if (events.length === 0) return;
    this.#received += events.length;
    this.#stream?.ack(this.#received);
  }

  /** Empty for a thread of which nothing has come. */
  heldOf(thread: string): HeldThread {
    let held = this.held.get(thread);
    if (!held) {
      held = { entries: new Map(), own: new Set(), toldSeq: 0, firstSeq: 1, isPulling: false };
      this.held.set(thread, held);
    }
    return held;
  }

  /** The newest seq of the thread that it may see, as the message service says now. */
  async headOf(thread: string): Promise<number> {
    const { head } = await this.#list(thread, 0, 1);
    return Number(head?.seq ?? 0);
  }

  /** Counts as pending until it has settled, however. */
  async during<T>(call: Promise<T>): Promise<T> {
    this.pending++;
    try {
      return await call;
    } finally {
      this.pending--;
    }
  }

  #takeLive(entry: Entry): void {
    this.#counts.liveEntries++;
    const thread = hex(entry.threadId);
    this.#take(thread, entry);
    this.#tell(thread, Number(entry.seq));
  }

  #takeBehind(thread: string, seq: bigint | undefined): void {
    this.#counts.behinds++;
    this.#tell(thread, Number(seq ?? 0));
  }

  #takeAccepted(thread: string, seq: number): void {
    this.#counts.posts++;
    this.heldOf(thread).own.add(seq);
    this.#tell(thread, seq);
  }

  #takeRefused({ errorInfo }: Refused): void {
    if (errorInfo?.reason === "THREAD_NOT_FOUND" || errorInfo?.reason === "BLOCKED")
      this.#counts.refusedPosts++;
  }

  #takeCaughtUp(cursor: Uint8Array): void {
    this.#cursor = cursor;
    this.#isCaughtUp = true;
  }

  #take(thread: string, entry: Entry): void {
    const held = this.heldOf(thread);
    const seq = Number(entry.seq);
    const bytes = hex(toBinary(EntrySchema, entry));
    const before = held.entries.get(seq);
    if (before && before.bytes !== bytes) throw new Error(`fork: ${this.userId} got two entries at ${seq}`);
    held.entries.set(seq, { bytes, entry });
    const { kind } = entry.body ?? { kind: { case: undefined } };
    const isJoin =
      kind.case === "memberChange" && kind.value.added.some(({ userId }) => userId === this.userId);
    if (isJoin) held.firstSeq = Math.max(held.firstSeq, seq);
  }

  #tell(thread: string, seq: number): void {
    const held = this.heldOf(thread);
    held.toldSeq = Math.max(held.toldSeq, seq);
    if (heldTo(held) < held.toldSeq) this.#missing.add(thread);
  }

  /** A pull that fails is tried again the next time that the client looks. */
  #pullMissing(): void {
    for (const thread of this.#missing) {
      const held = this.heldOf(thread);
      if (held.isPulling) continue;
      held.isPulling = true;
      this.#counts.pulls++;
      const done = () => {
        held.isPulling = false;
      };
      this.#pull(thread, held).then(done, done);
    }
  }

  async #pull(thread: string, held: HeldThread): Promise<void> {
    for (let after = heldTo(held); after < held.toldSeq; after = heldTo(held)) {
      const { entries, head } = await this.#list(thread, after, 200);
      for (const entry of entries) this.#take(thread, entry);
      const [first] = entries;
      if (first) held.firstSeq = Math.max(held.firstSeq, Number(first.seq));
      // Nothing above: it was told of more than it may see, since it has left.
      else held.toldSeq = Math.min(held.toldSeq, Number(head?.seq ?? 0), after);
    }
    this.#missing.delete(thread);
  }

  async #list(thread: string, after: number, pageSize: number): Promise<ListEntriesResponse> {
    const position = { case: "afterSeq", value: BigInt(after) };
    const request = { threadId: fromHex(thread), position, pageSize } as ListEntriesRequest;
    const { listEntries } = this.#services.message(this.#number).handlers;
    const page = await listEntries(request, { caller: { userId: this.userId } });
    // As over the wire: the server joins the entries of a page without decoding them.
    const bytes = toBinary(ListEntriesResponseSchema, create(ListEntriesResponseSchema, page));
    return fromBinary(ListEntriesResponseSchema, bytes);
  }
}

/** The highest seq below which nothing is missing that it may see. */
export function heldTo({ entries, own, firstSeq }: HeldThread): number {
  let seq = firstSeq - 1;
  while (entries.has(seq + 1) || own.has(seq + 1)) seq++;
  return seq;
}
