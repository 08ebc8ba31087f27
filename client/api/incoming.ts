import { hex } from "../../internal/base/ids.ts";
import type { Event } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Cursor } from "../log/cursor.ts";
import type { Positions } from "../log/positions.ts";
import type { RowFetcher } from "../log/row-fetcher.ts";
import type { Sync } from "../log/sync.ts";
import type { Threads } from "../log/threads.ts";
import type { Entry } from "../model/model.ts";
import type { OutboxPump } from "../outbox/outbox-pump.ts";
import type { Sends } from "../outbox/sends.ts";
import type { Presences } from "../presence/presences.ts";
import type { Typing } from "../presence/typing.ts";
import { fromRefused, toEntry, toHead, toReceipt } from "../transport/wire.ts";

/** The parts that hear of events. */
export interface IncomingDeps {
  readonly userId: string;
  readonly threads: Threads;
  readonly rows: RowFetcher;
  readonly pump: OutboxPump;
  readonly positions: Positions;
  readonly sends: Sends;
  readonly sync: Sync;
  readonly presences: Presences;
  readonly typing: Typing;
  readonly cursor: Cursor;
  /** All that was missed has been told. `wasFirst`: this device had no cursor before. */
  readonly onCaughtUp: (wasFirst: boolean) => void;
}

/** What each event of the stream means for what this device knows. */
export class Incoming {
  readonly #deps: IncomingDeps;

  constructor(deps: IncomingDeps) {
    this.#deps = deps;
  }

  /** Takes an event of any session, in order. */
  takeEvent(event: Event): void {
    const { threads, pump, sync, cursor } = this.#deps;
    const { kind } = event;
    switch (kind.case) {
      case "entry":
        this.#entry(toEntry(kind.value));
        break;
      case "accepted": {
        const { clientId, threadId, seq, createdAtMs, recipientOffline } = kind.value;
        pump.accepted(hex(clientId), {
          threadId: hex(threadId),
          seq: Number(seq),
          createdAtMs: Number(createdAtMs),
          recipientOffline,
        });
        break;
      }
      case "refused":
        // Without an id it is of a frame that is no send: nobody waits for those.
        if (kind.value.clientId.length > 0) pump.refused(hex(kind.value.clientId), fromRefused(kind.value));
        break;
      case "receipt":
        threads.takeReceipt(toReceipt(kind.value), Number(kind.value.readOrdinal));
        this.#deps.sends.advance(hex(kind.value.threadId));
        break;
      case "threadChanged":
        if (kind.value.thread) threads.takeRow(kind.value.thread, cursor.isFirst);
        threads.takeHead(hex(kind.value.threadId), toHead(kind.value.head));
        break;
      case "behind":
        // Entries were left out for want of room: the head shows which, and they are pulled.
        threads.takeHead(hex(kind.value.threadId), toHead(kind.value.head));
        break;
      case "presence":
        this.#deps.presences.takePresence(kind.value);
        break;
      case "typing":
        this.#deps.typing.takeTyping(kind.value);
        break;
      case "behindAll":
        sync.want();
        break;
      case "caughtUp": {
        const wasFirst = cursor.isFirst; // Read before it is set.
        cursor.set(kind.value.cursor);
        this.#deps.onCaughtUp(wasFirst);
      }
    }
  }

  /** An entry of any thread, this user's own sends on any device included. */
  #entry(entry: Entry): void {
    const state = this.#deps.threads.ensure(entry.threadId);
    this.#deps.threads.takeEntries(state, [entry], "stream");
    this.#deps.positions.streamed(state);
    this.#deps.rows.want(state);
    // A void of one's own says the opposite: the send was sealed. ResolveSend, which sealed it, answers that.
    const isOwnSend = entry.sender === this.#deps.userId && entry.body.kind !== "void";
    if (!isOwnSend) return;
    // The server raises the read position to the base_seq as it accepts a send, which this one may never be told of.
    const baseSeq = this.#deps.pump.baseSeqOf(entry.clientId);
    if (baseSeq !== undefined) this.#deps.positions.markRead(state, Math.min(baseSeq, entry.seq - 1));
    this.#deps.pump.seen(entry);
  }
}
