import { MemoryShare } from "../memory-use.ts";

/** What the age of one member's touch takes, in bytes: measured, in thread-logs-memory.test.ts. */
const AGE_BYTES = 64;

/** When the members of one thread were last touched, and what goes with it. It is written here alone. */
export class TouchAges {
  /** The moment before each member's newest confirmed touch was sent, by the monotonic clock. It never falls. */
  readonly #sentAtMs = new Map<string, number>();
  #isRenewing = false;
  /** When a large group's activity row was last written, by the monotonic clock. */
  #activityAtMs = Number.NEGATIVE_INFINITY;
  readonly #memory: MemoryShare;

  constructor(memory = new MemoryShare()) {
    this.#memory = memory;
  }

  /** When the member's newest confirmed touch was sent, by the monotonic clock, in ms; undefined: none is known. */
  sentAt(member: string): number | undefined {
    return this.#sentAtMs.get(member);
  }

  /** Notes a touch that is durable, with the moment from before it was sent. */
  confirm(member: string, sentAtMs: number): void {
    const before = this.#sentAtMs.get(member);
    if (before === undefined) this.#memory.addBytes(AGE_BYTES);
    if (before === undefined || before < sentAtMs) this.#sentAtMs.set(member, sentAtMs);
  }

  /** Forgets all but these. */
  keepMembers(members: ReadonlyMap<string, unknown>): void {
    const before = this.#sentAtMs.size;
    for (const userId of this.#sentAtMs.keys()) if (!members.has(userId)) this.#sentAtMs.delete(userId);
    this.#memory.addBytes(AGE_BYTES * (this.#sentAtMs.size - before));
  }

  /** Whether touches renew in the background. */
  get isRenewing(): boolean {
    return this.#isRenewing;
  }

  /** Holds that touches renew until `renewing` has come to its end. Never rejects. */
  renew(renewing: Promise<void>): void {
    this.#isRenewing = true;
    const done = () => {
      this.#isRenewing = false;
    };
    renewing.then(done, done);
  }

  /** Whether the activity row is to be written; if so, it counts as written now. */
  takeActivity(nowMs: number, everyMs: number): boolean {
    if (nowMs - this.#activityAtMs < everyMs) return false;
    this.#activityAtMs = nowMs;
    return true;
  }

  /** The activity row was not written after all. */
  missActivity(): void {
    this.#activityAtMs = Number.NEGATIVE_INFINITY;
  }
}
