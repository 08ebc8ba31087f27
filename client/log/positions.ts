import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../internal/base/clock.ts";
import { fromHex } from "../../internal/base/ids.ts";
import { ClientFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Session } from "../stream/session.ts";
import type { History } from "./history.ts";
import type { ThreadState } from "./thread-state.ts";
import type { Threads } from "./threads.ts";

/** Positions are gathered this long: a person scrolling moves them often. */
const GATHER_MS = 150;
/** Frames said at a time: fewer than the 100 a second that a session may send. */
const FRAMES = 12;

/**
 * Tells the server how far this user has got: read positions, and what arrived by pulls, which no ack covers.
 * A read position is repeated at every open, and after every sync, until a thread row has confirmed it (docs/design.md,
 * section 5): a server may die before it has written what it took.
 */
export class Positions {
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #history: Pick<History, "isProved" | "want">;
  readonly #dirty = new Set<ThreadState>();
  /** What the stream brought since the last ack, by thread. */
  readonly #unacked = new Map<ThreadState, number>();
  #session: Session | undefined;
  #cancel: (() => void) | undefined;

  /** `history`: positions in a thread are said once it was compared. */
  constructor(threads: Threads, clock: Clock, history: Pick<History, "isProved" | "want">) {
    this.#threads = threads;
    this.#clock = clock;
    this.#history = history;
  }

  /** A thread was compared. */
  proved(): void {
    if (this.#dirty.size > 0) this.#schedule();
  }

  /** Tells of the newest open session; everything unconfirmed is repeated on it. */
  setSession(session: Session | undefined): void {
    this.#session = session;
    this.#unacked.clear();
    if (!session) return;
    for (const state of this.#threads.all()) {
      if (state.unconfirmedReadSeq > 0 || state.reportedSeq < state.log.position) this.#mark(state);
    }
  }

  /** A sync has told the rows of now: what they do not confirm is said again. */
  synced(): void {
    for (const state of this.#threads.all()) if (state.unconfirmedReadSeq > 0) this.#mark(state);
  }

  /** The person has seen everything up to `seq`, as far as the log is known to reach. */
  markRead(state: ThreadState, seq: number): void {
    const upTo = Math.min(seq, state.log.head.seq);
    if (!state.raiseRead(upTo)) return;
    state.unconfirmedReadSeq = upTo;
    this.#threads.changed(state);
    this.#mark(state);
  }

  /** Entries arrived by a pull. */
  pulled(state: ThreadState): void {
    if (state.reportedSeq < state.log.position) this.#mark(state);
  }

  /** An entry arrived on the stream: the next ack covers it. */
  streamed(state: ThreadState): void {
    this.#unacked.set(state, state.log.position);
  }

  /** An ack was taken. */
  acked(): void {
    for (const [state, seq] of this.#unacked) this.#reported(state, seq);
    this.#unacked.clear();
  }

  /** Says what is still to be said. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const session = this.#session;
    if (!session || session.isOver) return;
    const due = [...this.#dirty].filter(({ threadId }) => this.#history.isProved(threadId));
    for (const { threadId } of this.#dirty) this.#history.want(threadId);
    for (const state of due.slice(0, FRAMES)) {
      this.#dirty.delete(state);
      this.#say(session, state);
    }
    if (due.length > FRAMES) this.#schedule();
  }

  #mark(state: ThreadState): void {
    this.#dirty.add(state);
    this.#schedule();
  }

  #schedule(): void {
    this.#cancel ??= this.#clock.after(GATHER_MS, () => this.flush());
  }

  #say(session: Session, state: ThreadState): void {
    const deliveredSeq = state.log.position;
    const value = {
      threadId: fromHex(state.threadId),
      deliveredSeq: BigInt(deliveredSeq),
      readSeq: BigInt(state.unconfirmedReadSeq),
    };
    const frame = create(ClientFrameSchema, { kind: { case: "receipt", value } });
    // A receipt that is lost is repeated at the next open.
    session.say(frame).then(
      (outcome) => {
        if (outcome?.kind.case !== "refused") this.#reported(state, deliveredSeq);
      },
      () => {},
    );
  }

  #reported(state: ThreadState, seq: number): void {
    if (seq <= state.reportedSeq) return;
    state.reportedSeq = seq;
    this.#threads.keepState(state);
  }
}
