import { type Clock, sleep } from "../../internal/base/clock.ts";
import { ErrorReason, lostSeqs } from "../../internal/base/heddle-error.ts";
import { fromHex } from "../../internal/base/ids.ts";
import { MessageService } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { Events } from "../model/events.ts";
import type { Entry } from "../model/model.ts";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import { asError, toEntry, toHead } from "../transport/wire.ts";
import type { ThreadState } from "./thread-state.ts";
import type { Threads } from "./threads.ts";

/** The largest page of ListEntries. */
const PAGE = 200;
/** Pulls under way at a time. */
const PULLS = 4;
/** What is on its way by the stream gets this long to arrive before it is asked for. */
const STRAGGLE_MS = 30;

export interface PullerDeps {
  readonly calls: Calls;
  readonly threads: Threads;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: () => number;
  /** The most that is caught up with per thread. */
  readonly catchUp: number;
}

/**
 * Fills what is missing: exactly that, page by page, oldest first, a thread at most once at a time
 * (docs/design.md, promise 5). While the server is away it waits; it gives up on a thread that is not the user's.
 */
export class Puller {
  readonly #deps: PullerDeps;
  readonly #due: ThreadState[] = [];
  readonly #previews: ThreadState[] = [];
  /** Threads in `due`, being pulled, or waiting for stragglers. */
  readonly #known = new Set<ThreadState>();
  /** Threads that the server says are not the user's: left alone until something new is heard of them. */
  readonly #refused = new Set<ThreadState>();
  #running = 0;
  #isOpen = false;

  constructor(deps: PullerDeps) {
    this.#deps = deps;
  }

  /** Sees to it that what is missing in a thread will be pulled. */
  want(state: ThreadState): void {
    if (this.#known.has(state)) return;
    this.#known.add(state);
    this.#deps.clock.after(STRAGGLE_MS, () => {
      this.#due.push(state);
      this.#pump();
    });
  }

  /** Says whether the server can be reached: pulls begin and pause. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#pump();
  }

  /**
   * Reads one page into a thread: below `beforeSeq`, or the newest. Returns it, ascending. Of a page in which the server
   * has lost entries it is what stands above them, or, where nothing does, the page below.
   */
  async page(
    state: ThreadState,
    beforeSeq: number | undefined,
    count: number,
    signal?: AbortSignal,
  ): Promise<readonly Entry[]> {
    const position =
      beforeSeq === undefined ? undefined : ({ case: "beforeSeq", value: BigInt(beforeSeq) } as const);
    try {
      return await this.#read(state, position, count, signal);
    } catch (thrown) {
      const lost = lostSeqs(asError(thrown));
      const end = beforeSeq ?? state.log.head.seq + 1;
      if (!lost || lost.from >= end || lost.from < end - count) throw thrown;
      this.#deps.threads.takeLost(state, lost.from, lost.to);
      const above = end - 1 - lost.to;
      if (above <= 0 && lost.from === 1) return [];
      return await (above > 0
        ? this.page(state, end, above, signal)
        : this.page(state, lost.from, count, signal));
    }
  }

  /** Fetches the newest entries of threads, for their preview lines. Resolves when they are here, or cannot be had. */
  async previews(states: readonly ThreadState[]): Promise<void> {
    const left = states.filter(({ log }) => log.last?.seq !== log.head.seq);
    const work = async () => {
      for (let state = left.shift(); state; state = left.shift())
        await this.page(state, undefined, 1).catch(() => []);
    };
    await Promise.all(Array.from({ length: PULLS }, work));
  }

  /** Fetches the newest entry, for the preview line, if that can be had. */
  preview(state: ThreadState): void {
    this.#previews.push(state);
    this.#pump();
  }

  #pump(): void {
    while (this.#isOpen && this.#running < PULLS) {
      const state = this.#due.shift();
      const preview = state ? undefined : this.#previews.shift();
      if (!state && !preview) return;
      this.#running += 1;
      const work = state ? this.#pullAll(state) : this.#pullPreview(preview as ThreadState);
      void work.finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  /** Without it the row has no preview; the next look at the thread fetches it. */
  async #pullPreview(state: ThreadState): Promise<void> {
    if (!state.log.last) await this.page(state, undefined, 1).catch(() => []);
  }

  async #pullAll(state: ThreadState): Promise<void> {
    await this.#pull(state);
    this.#known.delete(state);
    if (state.log.missing() && !this.#refused.has(state)) this.want(state);
  }

  async #pull(state: ThreadState): Promise<void> {
    const backoff = new Backoff(this.#deps.random);
    let most = PAGE;
    while (this.#isOpen) {
      this.#skip(state);
      const missing = state.log.missing();
      if (!missing) return;
      await this.#deps.events.calm();
      try {
        const position = { case: "afterSeq", value: BigInt(missing.afterSeq) } as const;
        await this.#read(state, position, Math.min(most, missing.count));
        most = PAGE;
        this.#refused.delete(state);
        // What is not to be had, such as what was said before one joined, is missing until the row says so.
        if (state.log.missing()?.afterSeq === missing.afterSeq)
          await sleep(this.#deps.clock, backoff.nextDelayMs());
        else backoff.reset();
      } catch (thrown) {
        if (asError(thrown).reason === ErrorReason.THREAD_NOT_FOUND) {
          this.#refused.add(state);
          return;
        }
        const lost = lostSeqs(asError(thrown));
        const before = lost ? lost.from - missing.afterSeq - 1 : -1;
        if (lost && before === 0) {
          this.#deps.threads.takeLost(state, lost.from, lost.to);
          continue;
        }
        if (before > 0 && before < Math.min(most, missing.count)) {
          most = before;
          continue;
        }
        if (asError(thrown).reason === ErrorReason.LOG_DAMAGED) return await this.#leaveDamaged(state);
        await sleep(this.#deps.clock, backoff.nextDelayMs(asError(thrown).retryAfterMs));
      }
    }
  }

  /** What cannot be read is left alone until something new is heard of it: threads that can be are not kept waiting. */
  async #leaveDamaged(state: ThreadState): Promise<void> {
    this.#refused.add(state);
    state.hasLost = true;
    this.#deps.threads.changed(state);
  }

  async #read(
    state: ThreadState,
    position: { case: "afterSeq" | "beforeSeq"; value: bigint } | undefined,
    pageSize: number,
    signal?: AbortSignal,
  ): Promise<readonly Entry[]> {
    const answer = await this.#deps.calls.call(
      MessageService.method.listEntries,
      { threadId: fromHex(state.threadId), ...(position && { position }), pageSize },
      signal,
    );
    const entries = answer.entries.map(toEntry);
    state.log.learn(toHead(answer.head));
    this.#deps.threads.takeEntries(state, entries, "pull");
    return entries;
  }

  #skip(state: ThreadState): void {
    const upTo = state.log.skip(this.#deps.catchUp);
    if (upTo === 0) return;
    this.#deps.threads.changed(state);
    this.#deps.events.emit({ type: "behind", threadId: state.threadId, upTo });
  }
}
