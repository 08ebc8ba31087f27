import type { Clock } from "../../internal/base/clock.ts";
import { PresenceService } from "../../internal/gen/heddle/presence/v1/presence_service_pb.js";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import { asError } from "../transport/wire.ts";
import type { PresenceBoard } from "./presence-board.ts";

/** How often, on average: how old the presence of somebody may be who is not on screen (docs/design.md, section 8). */
const EVERY_MS = 180_000;
/** New chats are gathered this long. */
const GATHER_MS = 300;
/** What one ListPresence takes. */
export const MOST_PULLED = 200;

export interface PresencePullDeps {
  readonly calls: Calls;
  readonly board: PresenceBoard;
  readonly clock: Clock;
  readonly random: () => number;
  /** Whose presence is of interest, at most MOST_PULLED. */
  readonly everybody: () => readonly string[];
}

/** Asks for presence in bulk: when the stream is caught up, when a new chat starts, and every few minutes. */
export class PresencePull {
  readonly #deps: PresencePullDeps;
  readonly #backoff: Backoff;
  readonly #wanted = new Set<string>();
  #end: AbortController | undefined;
  #cancelRound = () => {};
  #cancelSoon: (() => void) | undefined;

  constructor(deps: PresencePullDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
  }

  /** The stream is caught up: asks for everybody now, and again and again. */
  start(): void {
    this.stop();
    this.#end = new AbortController();
    this.#backoff.reset();
    void this.#round(this.#end.signal);
  }

  /** Without a connection nothing is asked. */
  stop(): void {
    this.#end?.abort();
    this.#end = undefined;
    this.#cancelRound();
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    this.#wanted.clear();
  }

  /** Asks for one user soon: a chat has started. */
  want(userId: string): void {
    const { signal } = this.#end ?? {};
    if (!signal || this.#wanted.size >= MOST_PULLED) return;
    this.#wanted.add(userId);
    this.#cancelSoon ??= this.#deps.clock.after(GATHER_MS, () => {
      const userIds = [...this.#wanted];
      this.#cancelSoon = undefined;
      this.#wanted.clear();
      void this.#ask(userIds, signal);
    });
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { board, random, everybody } = this.#deps;
    const userIds = everybody();
    if (!(await this.#ask(userIds, signal))) return;
    board.keepOnly(new Set([...userIds, ...everybody()]));
    this.#nextRound(EVERY_MS * (0.8 + 0.4 * random()), signal);
  }

  /** Resolves to whether there was an answer in time. After a failure the next round comes sooner. */
  async #ask(userIds: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { calls, board } = this.#deps;
    const since = board.words;
    if (userIds.length === 0) return true;
    try {
      const request = { userIds: [...userIds] };
      const { presences } = await calls.call(PresenceService.method.listPresence, request, signal);
      if (signal.aborted) return false;
      board.answered(userIds, presences, since);
      this.#backoff.reset();
      return true;
    } catch (thrown) {
      if (!signal.aborted) this.#nextRound(this.#backoff.nextDelayMs(asError(thrown).retryAfterMs), signal);
      return false;
    }
  }

  #nextRound(ms: number, signal: AbortSignal): void {
    this.#cancelRound();
    this.#cancelRound = this.#deps.clock.after(ms, () => void this.#round(signal));
  }
}
