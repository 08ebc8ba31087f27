import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import type { Seen, SeenEntry } from "./history.ts";

type Told<T> = T extends unknown ? Omit<T, "atMs" | "device" | "user"> : never;

/** The direct thread of ann and bob. */
export const DIRECT = hex(directThreadId("ann", "bob"));

/** A group of ann's with bob, from its first entry on. */
export const GROUP = "0123456789abcdef0123456789abcde0";

/** When the servers have been well for long, in ms. */
export const QUIET_MS = 100_000;

/** An entry that everybody holds. */
export function entryOf(seq: number, from: string, said: string, ordinal = seq): SeenEntry {
  return { seq, from, clientId: `id ${said}`, ordinal, said };
}

/** Writes a history down as it happens. A device is its user with a number: ann-0. */
export class SmallHistory {
  readonly seen: Seen[] = [];

  constructor() {
    this.tell(0, "", { type: "stores", serve: true });
  }

  tell(atMs: number, device: string, said: Told<Seen>): this {
    this.seen.push({ atMs, device, user: device.split("-")[0] ?? "", ...said } as Seen);
    return this;
  }

  /** The program starts and is connected. */
  live(atMs: number, ...devices: readonly string[]): this {
    for (const device of devices) {
      this.tell(atMs, device, { type: "begin" }).tell(atMs, device, { type: "phase", phase: "live" });
    }
    return this;
  }

  gone(atMs: number, ...devices: readonly string[]): this {
    for (const device of devices) this.tell(atMs, device, { type: "phase", phase: "crashed" });
    return this;
  }

  /** A person asks for a change, which is answered 100 ms later. */
  change(atMs: number, device: string, what: string, about: string): this {
    this.tell(atMs, device, { type: "change", what, about, state: "asked" });
    return this.tell(atMs + 100, device, { type: "change", what, about, state: "answered" });
  }

  /** A text is written, acknowledged 50 ms later, and 50 ms later seen by these devices. */
  send(atMs: number, device: string, text: string, seq: number, seers: readonly string[]): this {
    const [thread, clientId] = [DIRECT, `id ${text}`];
    this.tell(atMs, device, { type: "write", thread, clientId, text });
    this.tell(atMs + 50, device, { type: "sent", thread, clientId, seq, text });
    const entry = entryOf(seq, device.split("-")[0] ?? "", text);
    for (const seer of [device, ...seers]) this.tell(atMs + 100, seer, { type: "entry", thread, entry });
    return this;
  }

  /** What these devices hold of the direct thread in the end. */
  end(
    atMs: number,
    entries: readonly SeenEntry[],
    devices: readonly string[],
    { readSeq, unread }: { readonly readSeq?: number; readonly unread?: number } = {},
  ): this {
    const headSeq = entries.at(-1)?.seq ?? 0;
    for (const device of devices) {
      this.tell(atMs, device, { type: "outbox", texts: [] });
      const place = { thread: DIRECT, isGroup: false, headSeq, hasLeft: false };
      const position = { readSeq: readSeq ?? headSeq, unread: unread ?? 0 };
      this.tell(atMs, device, { type: "end", ...place, ...position, entries });
    }
    return this;
  }
}
