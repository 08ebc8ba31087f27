import type { Entry } from "../../../../client/model/model.ts";

/** What one device was given, over all lives of its client, by thread and seq: what its user has before them. */
export class DeviceDiary {
  /** What no client may do: skip an entry, give one again in the same life, or give another than before. In words. */
  readonly breaches: string[] = [];
  readonly #device: string;
  /** By thread, of each seq what was given. */
  readonly #threads = new Map<string, Map<number, string>>();
  /** The next seq of each thread that this life of the client may give. */
  #next = new Map<string, number>();

  constructor(device: string) {
    this.#device = device;
  }

  /** A client begins with what its storage kept. It may repeat what was given just before a crash, and skip nothing. */
  begin(): void {
    this.#next = new Map();
  }

  /** The client gave an entry. */
  give(entry: Entry): void {
    const { threadId, seq } = entry;
    const held = this.#threads.get(threadId) ?? new Map<number, string>();
    this.#threads.set(threadId, held);
    const due = this.#next.get(threadId);
    if (due === undefined ? seq > held.size + 1 : seq !== due) {
      this.breaches.push(`${this.#device} was given ${threadId}/${seq} after ${(due ?? held.size + 1) - 1}`);
    }
    this.#next.set(threadId, seq + 1);
    const text = entryText(entry);
    const before = held.get(seq);
    if (before !== undefined && before !== text) {
      this.breaches.push(`${this.#device} was given ${threadId}/${seq} as ${before} and as ${text}`);
    }
    held.set(seq, text);
  }

  /** How far it reaches. */
  highest(threadId: string): number {
    return this.#threads.get(threadId)?.size ?? 0;
  }

  /** Every entry of a thread in order, as texts. */
  entries(threadId: string): readonly string[] {
    return [...(this.#threads.get(threadId) ?? new Map<number, string>()).entries()]
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text);
  }

  /** In hex, those of which it was given something. */
  threads(): readonly string[] {
    return [...this.#threads.keys()];
  }
}

/** An entry in one line, the same for the same entry. */
export function entryText(entry: Entry): string {
  const { threadId, seq, sender, clientId, baseSeq, ordinal, createdAtMs, body } = entry;
  return JSON.stringify([threadId, seq, sender, clientId, baseSeq, ordinal, createdAtMs, body]);
}
