import { randomBytes } from "node:crypto";
import { Latencies } from "./latency.ts";

/** Sends that may be under way at a time: a power of two, far above what the loads keep in flight. */
const SLOTS = 1 << 20;

const ACCEPTED = 1;
const ARRIVED = 2;

/** What became of a load's sends. */
export interface SendCounts {
  readonly sent: number;
  readonly accepted: number;
  /** Entries that came to the recipient. */
  readonly arrived: number;
  /** Outcomes and entries that came again: 0 of a server that keeps its promises to clients that never repeat. */
  readonly repeats: number;
}

/**
 * Knows by the client_id when each send was due. Sends are numbered, and the number is the id's last four bytes, so
 * that finding one costs an index. Latency counts from the moment a send was *due* by the schedule, so a stall of
 * load or server counts for every send that it held up (no coordinated omission).
 */
export class SendLog {
  readonly accepted = new Latencies();
  readonly arrived = new Latencies();
  readonly #dueMs = new Float64Array(SLOTS);
  readonly #state = new Uint8Array(SLOTS);
  /** A UUID v7 but for its time: unique per process, and ordered by number. */
  readonly #id = randomBytes(16);
  #sent = 0;
  #acceptedCount = 0;
  #arrivedCount = 0;
  #repeats = 0;

  constructor() {
    this.#id[6] = 0x70;
    this.#id[8] = 0x80;
  }

  get counts(): SendCounts {
    return {
      sent: this.#sent,
      accepted: this.#acceptedCount,
      arrived: this.#arrivedCount,
      repeats: this.#repeats,
    };
  }

  /** Whether everything that was sent has been accepted and has arrived. */
  get isSettled(): boolean {
    return this.#acceptedCount === this.#sent && this.#arrivedCount === this.#sent;
  }

  /** Numbers a send that was due at `dueMs` (performance.now). Returns its client_id: good until the next call. */
  next(dueMs: number): Uint8Array {
    // The slot of a send of 2^20 sends ago, long settled, is used again.
    const slot = this.#sent & (SLOTS - 1);
    this.#dueMs[slot] = dueMs;
    this.#state[slot] = 0;
    this.#id.writeUInt32BE(this.#sent++, 12);
    return this.#id;
  }

  /** Notes an outcome. */
  noteAccepted(clientId: Uint8Array, nowMs: number): void {
    if (!this.#isFirst(clientId, ACCEPTED)) return;
    this.#acceptedCount++;
    this.accepted.add(nowMs - this.dueMs(clientId));
  }

  /** Notes an entry at its recipient. */
  noteArrived(clientId: Uint8Array, nowMs: number): void {
    if (!this.#isFirst(clientId, ARRIVED)) return;
    this.#arrivedCount++;
    this.arrived.add(nowMs - this.dueMs(clientId));
  }

  /** When a send was due. */
  dueMs(clientId: Uint8Array): number {
    return this.#dueMs[slotOf(clientId)] ?? 0;
  }

  #isFirst(clientId: Uint8Array, flag: number): boolean {
    const slot = slotOf(clientId);
    const state = this.#state[slot] ?? 0;
    this.#state[slot] = state | flag;
    if (state & flag) this.#repeats++;
    return (state & flag) === 0;
  }
}

/** The low bits of the number in the last four bytes. */
function slotOf(id: Uint8Array): number {
  return (((id[13] ?? 0) << 16) | ((id[14] ?? 0) << 8) | (id[15] ?? 0)) & (SLOTS - 1);
}
