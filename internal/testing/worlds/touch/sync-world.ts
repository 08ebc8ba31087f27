import assert from "node:assert/strict";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { TouchAges } from "../../../message/log/touch-ages.ts";
import { TOUCH_COUNTS_MS, TouchLedger } from "../../../message/log/touch-ledger.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { SyncPage, ThreadStore } from "../../../store/thread-store.ts";
import { Sync } from "../../../thread/sync.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import { Interleaving } from "../interleaving.ts";
import { GROUPS, type GroupName, SyncWorldGroups } from "./sync-world-groups.ts";

/** The user whose devices do nothing but sync. */
export const OWNER = "ann";
/** Who writes to the owner directly. */
export const OTHERS = ["bob", "cid"] as const;

interface Device {
  cursor: Uint8Array;
  isSyncing: boolean;
  /** The highest seq that the device has heard of, by thread. From Sync alone. */
  readonly known: Map<string, number>;
}

/** What a broken variant makes of a page of the store. */
export type PageVariant = (page: SyncPage) => SyncPage;

/**
 * One owner's threads and groups, a message service of which only the touches matter, and devices that only sync. Every
 * call on a port stops before its effect and before its answer, until the history lets it go on; clocks move in between.
 */
export class SyncWorld {
  readonly clock = new FakeClock();
  readonly points = new Interleaving();
  /** The highest seq that was accepted and that the owner may see, by thread. */
  readonly accepted = new Map<string, number>();
  syncs = 0;
  readonly #store = new SqliteThreadStore({ path: ":memory:", clock: this.clock, tick: (run) => run() });
  readonly #committed = new Map<string, number>();
  readonly #ledger = new TouchLedger(this.clock);
  readonly #ages = new Map<string, TouchAges>();
  readonly #devices: readonly Device[] = [0, 1, 2].map(() => ({
    cursor: new Uint8Array(0),
    isSyncing: false,
    known: new Map(),
  }));
  readonly #groups: SyncWorldGroups;
  readonly #sync: Sync;

  constructor(variant: PageVariant = (page) => page) {
    this.#groups = new SyncWorldGroups({
      points: this.points,
      store: this.#store,
      committed: this.#committed,
      cover: (threadId) => this.#cover(threadId),
      accept: (threadId, seq) => this.#accept(threadId, seq),
    });
    const sync: ThreadStore["sync"] = async (...args) => variant(await this.#store.sync(...args));
    this.#sync = new Sync({
      rows: {
        get: (...args) => this.#store.get(...args),
        knows: (state) => this.#store.knows(state),
        sync: (...args) => this.points.call("rows", "thread", false, () => sync(...args)),
      },
      heads: {
        heads: (threads) =>
          this.points.call("heads", "message", false, async () => {
            const head = (key: string) => {
              const seq = this.#committed.get(key) ?? 0;
              return { seq, ordinal: seq };
            };
            return new Map(threads.map(({ threadId }) => [hex(threadId), head(hex(threadId))]));
          }),
      },
    });
  }

  /** Threads and groups that have been there for an hour, so that no touch of theirs is in force. */
  async prepare(): Promise<void> {
    for (const other of OTHERS) await this.#store.createDirect(directThreadId(OWNER, other), [OWNER, other]);
    for (const name of GROUPS) await this.#groups.create(name);
    this.clock.advance(3_600_000);
  }

  /** Touches, appends, judges the touch, and only then accepts: docs/design.md, section 6. */
  async send(other: string): Promise<void> {
    const threadId = directThreadId(OWNER, other);
    await this.#cover(threadId);
    const seq = await this.points.call("store", "message", true, async () => {
      const next = (this.#committed.get(hex(threadId)) ?? 0) + 1;
      this.#committed.set(hex(threadId), next);
      return next;
    });
    await this.#cover(threadId);
    this.#accept(threadId, seq);
  }

  /** Somebody posts in a group. */
  post(group: GroupName): Promise<void> {
    return this.#groups.append(group, "post");
  }

  /** The owner leaves the group, or comes back. */
  move(group: GroupName): Promise<void> {
    return this.#groups.append(group, "move");
  }

  /** The group becomes large. */
  grow(group: GroupName): Promise<void> {
    return this.#groups.append(group, "grow");
  }

  /** What is accepted when a sync begins, its device knows when the sync has ended. */
  async sync(at: number, pageSize: number): Promise<void> {
    const device = this.#devices[at] as Device;
    if (device.isSyncing) return;
    device.isSyncing = true;
    try {
      const before = new Map(this.accepted);
      device.cursor = await this.#pages(device, pageSize);
      this.syncs++;
      for (const [key, seq] of before) {
        assert.ok((device.known.get(key) ?? 0) >= seq, `device ${at} does not know of seq ${seq} of ${key}`);
      }
    } finally {
      device.isSyncing = false;
    }
  }

  /** Sets the wall clock, which the message service notices before it is set again. */
  jump(ms: number): void {
    this.clock.jumpWall(ms);
    this.#ledger.uncovered(new TouchAges(), [], 0);
  }

  /** Lets everything come to rest; then every device syncs undisturbed. */
  async finish(): Promise<void> {
    await this.points.drain();
    this.clock.advance(600_000);
    for (const at of this.#devices.keys()) {
      await Promise.all([this.sync(at, 2), this.points.drain()]);
    }
    await this.#store.close();
  }

  /** As the message service's gate: a touch that is young enough, by a ledger of its own, is not written again. */
  async #cover(threadId: Uint8Array): Promise<void> {
    const ages = this.#ages.get(hex(threadId)) ?? new TouchAges();
    this.#ages.set(hex(threadId), ages);
    if (this.#ledger.uncovered(ages, [OWNER], TOUCH_COUNTS_MS).length === 0) return;
    const sentAtMs = this.#ledger.beforeSending();
    const touch = { threadId, ownerIds: [OWNER], headBucket: 0 };
    await this.points.call("store", "thread", true, () => this.#store.touch([touch]));
    this.#ledger.confirmed(ages, [OWNER], sentAtMs);
  }

  /** From now on a sync that begins must find the entry. */
  #accept(threadId: Uint8Array, seq: number): void {
    const key = hex(threadId);
    this.accepted.set(key, Math.max(seq, this.accepted.get(key) ?? 0));
  }

  /** All pages of one sync; resolves to the new cursor. */
  async #pages(device: Device, pageSize: number): Promise<Uint8Array> {
    let token: Uint8Array = new Uint8Array(0);
    for (;;) {
      const page = await this.#sync.page(OWNER, device.cursor, token, pageSize);
      assert.ok(page.threads.length <= pageSize);
      for (const { row, head } of page.threads) {
        const { left } = row.group ?? {};
        if (left) assert.equal(head.seq, left.seq);
        const key = hex(row.threadId);
        device.known.set(key, Math.max(head.seq, device.known.get(key) ?? 0));
      }
      token = page.nextPageToken;
      if (token.length === 0) return page.cursor;
    }
  }
}
