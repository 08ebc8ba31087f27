import { BEHIND_BYTES, BEHIND_THREADS } from "../limits.ts";
import { BEHIND_ALL_FRAME, behindFrame } from "./events.ts";

/** A place in a thread. */
export interface Position {
  readonly seq: number;
  readonly ordinal: number;
}

/**
 * The threads of which events were dropped and of which the client has not been told yet: one `behind` each, its head
 * raised in place, and beyond BEHIND_THREADS one `behind_all` instead. Encoded only when they leave.
 */
export class BehindThreads {
  #all = false;
  readonly #threads = new Map<string, Position>();

  /** Whether all is behind: then every dropped event is covered. */
  get isAll(): boolean {
    return this.#all;
  }

  get isEmpty(): boolean {
    return !this.#all && this.#threads.size === 0;
  }

  /** What they take when they leave, at most. */
  get bytes(): number {
    return this.#all ? BEHIND_ALL_FRAME.length : this.#threads.size * BEHIND_BYTES;
  }

  has(thread: string): boolean {
    return this.#all || this.#threads.has(thread);
  }

  /** The entries of the thread (hex) up to `position` exist, and some may be missing at the client. */
  noteThread(thread: string, position: Position): void {
    if (this.#all) return;
    const known = this.#threads.get(thread);
    if (!known || known.seq < position.seq) {
      this.#threads.set(thread, { seq: position.seq, ordinal: position.ordinal });
    }
    if (this.#threads.size > BEHIND_THREADS) this.noteAll();
  }

  noteAll(): void {
    this.#all = true;
    this.#threads.clear();
  }

  /** Appends what is to be told, of at most `spare` bytes, and forgets that. Returns how many bytes it is. */
  takeInto(frames: Uint8Array[], spare: number): number {
    let bytes = 0;
    if (this.#all) {
      frames.push(BEHIND_ALL_FRAME);
      bytes += BEHIND_ALL_FRAME.length;
      this.#all = false;
    }
    for (const [thread, { seq, ordinal }] of this.#threads) {
      if (bytes + BEHIND_BYTES > spare) break;
      const frame = behindFrame(thread, seq, ordinal);
      frames.push(frame);
      bytes += frame.length;
      this.#threads.delete(thread);
    }
    return bytes;
  }
}
