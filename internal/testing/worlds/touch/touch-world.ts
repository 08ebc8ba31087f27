import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { BUCKET_SIZE } from "../../../base/head.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId, participants } from "../../../base/thread-id.ts";
import { BodySchema } from "../../../gen/heddle/message/v1/entry_pb.js";
import { HeadReader } from "../../../message/log/head-finder.ts";
import type { MessageStore, Threads } from "../../../message/ports.ts";
import type { SqlThreadStore } from "../../../store/sql/sql-thread-store.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { ThreadStore } from "../../../store/thread-store.ts";
import { Directory } from "../../../thread/directory.ts";
import { Sync } from "../../../thread/sync.ts";
import { directView } from "../../fakes/message/message-ports.ts";
import { logStoreOf } from "../../fakes/message/message-samples.ts";
import { MemoryMessageStore } from "../../fakes/stores/memory-message-store.ts";
import { AppendServer, type ServerParts, serverParts } from "../append/append-server.ts";
import { type Fate, Interleaving, quiet } from "../interleaving.ts";

/** What a broken variant of section 6 changes: the pieces of a server, or the thread store. */
export interface TouchVariant {
  readonly parts?: (parts: ServerParts) => ServerParts;
  readonly store?: (world: TouchWorld) => TouchRows;
  /** Resolves when no call of that store is under way: where that takes more than turns of the event loop. */
  readonly settle?: () => Promise<void>;
}

/** The rows of one history, which end with it. */
export type TouchRows = SqlThreadStore & { close(): Promise<void> };

/** The user whose devices do nothing but sync, and those who write to it. */
const READER = "bob";
export const WRITERS = ["ann", "cid"] as const;

/** What a device that only syncs knows of a thread. */
interface Known {
  seq: number;
  isMuted: boolean;
}

/** A device between two syncs: its cursor, and what it has learned. */
class SyncingDevice {
  cursor = new Uint8Array(0);
  syncing = false;
  readonly known = new Map<string, Known>();
}

/**
 * A message service, the real thread store, and devices that only sync: the world in which the rules of touches and
 * versions are tried (docs/design.md, section 6). Time passes only by `pass`, at any point of any call.
 */
export class TouchWorld {
  readonly points: Interleaving;
  readonly devices = [new SyncingDevice()];
  readonly acknowledged: { readonly thread: string; readonly seq: number }[] = [];
  syncs = 0;
  #timeMs = 1_000_000;
  readonly #messages = new MemoryMessageStore();
  readonly #direct: Pick<MessageStore, "put" | "checkAndPut"> = {
    put: (...args) => this.#messages.put(...args),
    checkAndPut: (...args) => this.#messages.checkAndPut(...args),
  };
  readonly #rows: TouchRows;
  readonly #variant: TouchVariant;
  #incarnation = 0;
  #server: AppendServer;

  constructor(variant: TouchVariant = {}) {
    this.points = new Interleaving(variant.settle);
    this.#rows = variant.store?.(this) ?? new SqliteThreadStore({ path: ":memory:", clock: this.clock });
    this.#variant = variant;
    this.#server = this.#start();
  }

  /** The message service's name among the owners of points: another after each crash. */
  get server(): string {
    return `message ${this.#incarnation}`;
  }

  /** Stops the message service for ever, and starts another in its place, which has touched nobody. */
  crash(writes: "late" | "lost"): void {
    this.points.stop(this.server, writes);
    this.#server = this.#start();
  }

  #start(): AppendServer {
    this.#incarnation += 1;
    return new AppendServer((this.#variant.parts ?? ((parts) => parts))(this.#parts(this.server)));
  }

  /** The clock of servers and store: they may be slow, their clocks agree. */
  readonly clock = {
    nowMs: () => this.#timeMs,
    monotonicMs: () => this.#timeMs,
    after: () => () => {},
  };

  /** Moves all clocks at once. What was under way stays there: calls may take any time. */
  pass(seconds: number): void {
    this.#timeMs += seconds * 1000;
  }

  /** Lets calls go on: of a device, of the message service, of the thread store's own, or of all. */
  advance(owner: string | undefined, pick: number, times: number, fate: Fate): Promise<void> {
    return this.points.advanceSome(pick, times, fate, owner === "message" ? this.server : owner);
  }

  /** A writer sends once. What is acknowledged every device must learn of. */
  async send(writer: string): Promise<void> {
    const outcome = await this.#server.send({
      userId: writer,
      threadId: undefined,
      toUserId: READER,
      clientId: newUuid(0),
      baseSeq: 0,
      logEpoch: 0,
      attempt: 1,
      body: create(BodySchema, { kind: { case: "text", value: { text: "hi" } } }),
      originSession: "",
    });
    if (outcome instanceof HeddleError) return;
    this.acknowledged.push({ thread: hex(outcome.threadId), seq: outcome.seq });
  }

  /** The reader mutes a thread elsewhere: a change of a row without an entry. */
  async mute(writer: string, isMuted: boolean): Promise<void> {
    await this.points
      .call("thread", "thread", true, () =>
        this.#rows.setMuted(READER, directThreadId(writer, READER), isMuted),
      )
      .catch(expectKnown);
  }

  /** A device syncs from its cursor, in pages of one row, and keeps what it learns before it keeps the cursor. */
  async sync(at: number): Promise<void> {
    const device = this.devices[at % this.devices.length] as SyncingDevice;
    if (device.syncing) return;
    device.syncing = true;
    try {
      for (let token = new Uint8Array(0); ; ) {
        const page = await this.#sync(`device ${at}`).page(READER, device.cursor, token, 1);
        for (const { row, head } of page.threads) {
          const known = device.known.get(hex(row.threadId));
          device.known.set(hex(row.threadId), {
            seq: Math.max(head.seq, known?.seq ?? 0),
            isMuted: row.isMuted,
          });
        }
        token = new Uint8Array(page.nextPageToken);
        if (token.length > 0) continue;
        device.cursor = new Uint8Array(page.cursor);
        this.syncs += 1;
        return;
      }
    } catch (error) {
      expectKnown(error);
    } finally {
      device.syncing = false;
    }
  }

  /** Lets everything come to rest, has each device sync once more, and judges what they know. */
  async verify(): Promise<void> {
    await this.points.drain();
    this.pass(600);
    for (const at of this.devices.keys())
      await Promise.all([this.sync(at), quiet().then(() => this.points.drain())]);
    const threadIds = WRITERS.map((writer) => directThreadId(writer, READER));
    const rows = await this.#rows.get(READER, threadIds);
    for (const [at, { known }] of this.devices.entries()) {
      const missed = this.acknowledged.find(({ thread, seq }) => seq > (known.get(thread)?.seq ?? 0));
      assert.ok(
        !missed,
        `device ${at} never learned of seq ${missed?.seq}, which was acknowledged (promise 5)`,
      );
      for (const row of rows) {
        const mine = known.get(hex(row.threadId));
        if (mine) assert.equal(mine.isMuted, row.isMuted, `device ${at} never learned of a change of a row`);
      }
    }
    await this.#rows.close();
  }

  /** The real Sync, whose reads of rows and of heads stop at the device's points, one by one. */
  #sync(device: string): Sync {
    const { points } = this;
    const read: ThreadStore["sync"] = (...args) =>
      points.call(device, "thread", false, () => this.#rows.sync(...args));
    const store: MessageStore = {
      ...this.#direct,
      get: (...args) => points.call(device, "message", false, () => this.#messages.get(...args)),
    };
    const heads = new HeadReader(logStoreOf(store, BUCKET_SIZE));
    return new Sync({
      rows: {
        sync: read,
        get: (...args) => this.#rows.get(...args),
        knows: (state) => this.#rows.knows(state),
      },
      heads: {
        heads: async (threads) => {
          const read = async ({ threadId }: { threadId: Uint8Array }) =>
            [hex(threadId), await heads.readHead(hex(threadId), threadId, 0)] as const;
          return new Map(await Promise.all(threads.map(read)));
        },
      },
    });
  }

  /** The message service's ports: touches and reads stop at its points, all else is at once. */
  #parts(name: string): ServerParts {
    const { points, clock } = this;
    const directory = new Directory(this.#rows);
    const messages = this.#messages;
    const threads: Threads = {
      view: async (_threadId, userId) => directView(userId, READER),
      createDirect: (...args) => directory.createDirect(...args),
      touch: (...args) => points.call(name, "thread", true, () => directory.touch(...args)),
      raiseRead: (...args) => directory.raiseRead(...args),
      noteWriter: async () => {},
    };
    return serverParts({
      store: {
        checkAndPut: (...args) => points.call(name, "message", true, () => messages.checkAndPut(...args)),
        put: this.#direct.put,
        get: (...args) => points.call(name, "message", false, () => messages.get(...args)),
      },
      threads,
      channel: { publish: async () => ({ subscribed: [], revision: 0, incomplete: false }) },
      clock,
      bucketSize: BUCKET_SIZE,
    });
  }

  /** Both threads have an entry, of an hour ago. */
  async prepare(): Promise<void> {
    for (const writer of WRITERS) {
      await this.#rows.createDirect(directThreadId(writer, READER), participants(writer, READER));
      await Promise.all([this.send(writer), quiet().then(() => this.points.drain())]);
    }
    this.pass(3_600);
  }
}

function expectKnown(error: unknown): undefined {
  if (!(error instanceof HeddleError)) throw error;
}
