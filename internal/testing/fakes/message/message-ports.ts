import { hex } from "../../../base/ids.ts";
import type { HandOff, Publication } from "../../../base/publication.ts";
import { directThreadId, participants } from "../../../base/thread-id.ts";
import type {
  Blocks,
  Channel,
  EntryCellPut,
  Groups,
  MessageStore,
  ReadPosition,
  RowKey,
  Threads,
  ThreadView,
  VersionedCell,
} from "../../../message/ports.ts";
import type { Row, RowQuery } from "../../../store/message-store.ts";
import { MemoryGroups } from "../stores/memory-groups.ts";
import { MemoryMessageStore } from "../stores/memory-message-store.ts";
import type { FakeClock } from "../time/fake-clock.ts";

/** What the ports below were called for, in order: "touch ann bob", "append 3", "publish 3", … */
export type Trace = string[];

/** A memory store that notes its calls, and whose calls a test may hold up, fail or lose the answers of. */
export class HookedStore implements MessageStore {
  /** Asked by tests, past the hooks and without a note. */
  readonly inner = new MemoryMessageStore();
  readonly trace: Trace;
  /** Reads, in order. */
  readonly gets: { readonly bucket: number; readonly query: RowQuery }[] = [];
  /** Instead of a check-and-put: `apply` makes it. */
  onAppend: ((apply: () => Promise<boolean>) => Promise<boolean>) | undefined;
  /** Instead of a read: `read` makes it. */
  onGet: ((read: () => Promise<Row>, row: RowKey, query: RowQuery) => Promise<Row>) | undefined;
  /** Instead of a put: `apply` makes it. */
  onPut: ((apply: () => Promise<void>) => Promise<void>) | undefined;

  constructor(trace: Trace = []) {
    this.trace = trace;
  }

  async checkAndPut(
    row: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean> {
    this.trace.push(`append ${entries.map(({ seq }) => seq).join(" ")}`);
    const apply = () => this.inner.checkAndPut(row, expected, head, entries);
    return this.onAppend ? this.onAppend(apply) : apply();
  }

  async put(row: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void> {
    this.trace.push(`put ${family}`);
    const apply = () => this.inner.put(row, family, cells);
    return this.onPut ? this.onPut(apply) : apply();
  }

  async get(row: RowKey, query: RowQuery): Promise<Row> {
    this.gets.push({ bucket: row.bucket, query });
    const read = () => this.inner.get(row, query);
    return this.onGet ? this.onGet(read, row, query) : read();
  }
}

/** Calls of the thread service that a test may hold up or fail. */
type ThreadCall =
  | "view"
  | "createDirect"
  | "touch"
  | "raiseRead"
  | "noteWriter"
  | "roster"
  | "project"
  | "noteActivity"
  | "between";

/** What both rows of a direct thread say. */
export function directView(a: string, b: string, headBucket = 0): ThreadView {
  const hints = { headBucket, earlier: [], joinedSeq: 0, leftSeq: undefined, leftOrdinal: undefined };
  return { kind: "direct", participants: participants(a, b), ...hints };
}

/** The thread service as the message service's ports show it: rows of direct threads, and groups and blocks. */
export class MemoryThreads implements Threads {
  readonly trace: Trace;
  readonly clock: FakeClock | undefined;
  /** Each touch of an owner, with the monotonic time at which the call came. */
  readonly touches: { readonly ownerId: string; readonly headBucket: number; readonly atMs: number }[] = [];
  /** Read positions that the rows were given, in order. */
  readonly raised: ReadPosition[] = [];
  /** Who was noted as one who has written, in order. */
  readonly writers: { readonly userId: string; readonly seq: number }[] = [];
  /** Groups and blocks, asked by tests past the hooks. */
  readonly memory = new MemoryGroups();
  /** The groups' port, noted and held up like the rows'. */
  readonly groups: Groups = {
    roster: async (...args) => {
      await this.onCall?.("roster");
      return this.memory.roster(...args);
    },
    project: async (entry, headBucket) => {
      this.trace.push(`project ${entry.seq}`);
      await this.onCall?.("project");
      return this.memory.project(entry, headBucket);
    },
    changeSeq: (...args) => this.memory.changeSeq(...args),
    spanCounts: (...args) => this.memory.spanCounts(...args),
    noteActivity: async (...args) => {
      this.trace.push("activity");
      await this.onCall?.("noteActivity");
      return this.memory.noteActivity(...args);
    },
  };
  readonly blocks: Blocks = {
    between: async (...args) => {
      await this.onCall?.("between");
      return this.memory.between(...args);
    },
    find: (...args) => this.memory.find(...args),
  };
  readonly #views = new Map<string, ThreadView>();
  /** Before a call takes effect; what it throws is what the call rejects with. */
  onCall: ((what: ThreadCall) => Promise<void>) | undefined;

  constructor(trace: Trace = [], clock?: FakeClock) {
    this.trace = trace;
    this.clock = clock;
  }

  /** Adds a direct thread and returns its id. */
  add(a: string, b: string, headBucket = 0): Uint8Array {
    const threadId = directThreadId(a, b);
    this.#views.set(hex(threadId), directView(a, b, headBucket));
    return threadId;
  }

  has(threadId: Uint8Array): boolean {
    return this.#views.has(hex(threadId));
  }

  async view(threadId: Uint8Array, userId: string): Promise<ThreadView | undefined> {
    await this.onCall?.("view");
    const view = this.#views.get(hex(threadId));
    if (!view) return this.memory.view(threadId, userId);
    return view.participants.includes(userId) ? view : undefined;
  }

  async createDirect(a: string, b: string): Promise<void> {
    this.trace.push(`create ${a} ${b}`);
    await this.onCall?.("createDirect");
    this.add(a, b);
  }

  async touch(_threadId: Uint8Array, ownerIds: readonly string[], headBucket: number): Promise<void> {
    this.trace.push(`touch ${ownerIds.join(" ")}`);
    const atMs = this.clock?.monotonicMs() ?? 0;
    await this.onCall?.("touch");
    for (const ownerId of ownerIds) this.touches.push({ ownerId, headBucket, atMs });
  }

  async noteWriter(_threadId: Uint8Array, userId: string, seq: number): Promise<void> {
    await this.onCall?.("noteWriter");
    this.writers.push({ userId, seq });
  }

  async raiseRead(positions: readonly ReadPosition[]): Promise<void> {
    await this.onCall?.("raiseRead");
    this.raised.push(...positions);
  }
}

/** A channel service that keeps what it was given. */
export class KeptChannel implements Channel {
  readonly trace: Trace;
  /** In order; a test may take them out. */
  readonly publications: Publication[] = [];
  /** Topics with a subscriber: for what is published to others a sender is told that nobody is there. */
  readonly subscribed = new Set<string>();
  /** Before a publication is taken; what it throws is what publish rejects with. */
  onPublish: ((publication: Publication) => Promise<void>) | undefined;

  constructor(trace: Trace = []) {
    this.trace = trace;
  }

  async publish(publication: Publication): Promise<HandOff> {
    this.trace.push(`publish ${publication.kind} ${publication.seq || publication.userId}`);
    await this.onPublish?.(publication);
    this.publications.push(publication);
    const subscribed = publication.topics.map((topic) => this.subscribed.has(topic));
    return { subscribed };
  }
}
