import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../internal/base/clock.ts";
import { fromHex, hex } from "../../internal/base/ids.ts";
import { ClientFrameSchema, type Typing as WireTyping } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Events } from "../model/events.ts";
import type { Session } from "../stream/session.ts";

/** A little more than the 3 s in which the server lets one through: one that was faster on its way must not be lost. */
const EVERY_MS = 3_100;
/** Longer than any server says: a wrong number must not keep somebody writing for ever. */
const LONGEST_MS = 30_000;
/** Users shown as writing in one thread, and threads with anybody. What is more is not shown. */
const MOST_TYPISTS = 20;
const MOST_THREADS = 200;

export interface TypingDeps {
  readonly userId: string;
  readonly events: Events;
  readonly clock: Clock;
  /** Whether there is such a thread and others may hear of it: of others the server would not take it. */
  readonly isThread: (threadId: string) => boolean;
}

/** Who writes where: never kept, never repeated, and over by itself. */
export class Typing {
  readonly #deps: TypingDeps;
  /** By thread, by user: how to cancel the end. */
  readonly #typists = new Map<string, Map<string, () => void>>();
  /** By thread: when it was last said that this user writes. Holds what is younger than EVERY_MS. */
  readonly #saidAtMs = new Map<string, number>();
  #session: Session | undefined;

  constructor(deps: TypingDeps) {
    this.#deps = deps;
    deps.events.on((event) => {
      if (event.type === "entry") this.#stop(event.entry.threadId, event.entry.sender);
    });
  }

  /** The newest session; undefined: there is none. */
  setSession(session: Session | undefined): void {
    this.#session = session;
    if (session) return;
    for (const [threadId, typists] of this.#typists) {
      for (const userId of [...typists.keys()]) this.#stop(threadId, userId);
    }
  }

  /** As Client.typists. */
  in(threadId: string): readonly string[] {
    return [...(this.#typists.get(threadId)?.keys() ?? [])];
  }

  /** As Client.typing. */
  say(threadId: string): void {
    const session = this.#session;
    if (!session || session.isOver || !this.#deps.isThread(threadId)) return;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [each, atMs] of this.#saidAtMs) if (nowMs - atMs >= EVERY_MS) this.#saidAtMs.delete(each);
    if (this.#saidAtMs.has(threadId)) return;
    this.#saidAtMs.set(threadId, nowMs);
    const value = { threadId: fromHex(threadId) };
    session.say(create(ClientFrameSchema, { kind: { case: "typing", value } })).catch(() => {});
  }

  /** The stream says it. */
  takeTyping({ threadId: id, userId, expiresAfterMs }: WireTyping): void {
    const threadId = hex(id);
    if (userId === this.#deps.userId) return;
    const typists = this.#typists.get(threadId) ?? new Map<string, () => void>();
    const cancel = typists.get(userId);
    const isFull = typists.size >= MOST_TYPISTS || this.#typists.size >= MOST_THREADS;
    if (!cancel && isFull) return;
    cancel?.();
    const ms = Math.min(expiresAfterMs, LONGEST_MS);
    typists.set(
      userId,
      this.#deps.clock.after(ms, () => this.#stop(threadId, userId)),
    );
    this.#typists.set(threadId, typists);
    if (!cancel) this.#deps.events.emit({ type: "typing", threadId, userId, isTyping: true });
  }

  #stop(threadId: string, userId: string): void {
    const typists = this.#typists.get(threadId);
    const cancel = typists?.get(userId);
    if (!typists || !cancel) return;
    cancel();
    typists.delete(userId);
    if (typists.size === 0) this.#typists.delete(threadId);
    this.#deps.events.emit({ type: "typing", threadId, userId, isTyping: false });
  }
}
