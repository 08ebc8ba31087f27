import type { MessageInitShape } from "@bufbuild/protobuf";
import { entryNameBytes } from "../../internal/base/history.ts";
import { fromHex, hex } from "../../internal/base/ids.ts";
import {
  type CompareHeldRequest_HeldSchema,
  type CompareHeldResponse_Compared,
  MessageService,
} from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { Digest } from "../model/digest.ts";
import type { Keeper } from "../storage/keeper.ts";
import type { Json } from "../storage/storage.ts";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import { asError, toHead } from "../transport/wire.ts";
import type { ThreadState } from "./thread-state.ts";
import type { Threads } from "./threads.ts";
import type { Top } from "./tops.ts";

const DEPLOYMENT_KEY = "deployment";
const EPOCH_KEY = "log_epoch";
/** Entries of one call of CompareHeld. */
const MOST = 200;
/** Within which the clients of a server that has started again spread their first call, in ms. */
const JITTER_MS = 60_000;
/** Between calls that nobody waits for, in ms. */
const PACE_MS = 1_000;

export interface HistoryDeps {
  readonly calls: Pick<Calls, "call">;
  readonly threads: Threads;
  readonly keeper: Keeper;
  readonly clock: { after(ms: number, callback: () => void): () => void };
  readonly random: () => number;
  readonly digest: Digest;
  /** What is held of a thread is what the log holds, under this epoch as it was under `from`. */
  readonly onProved: (threadId: string, from: number) => void;
  /** It was not, and is dropped. `isThere`: the thread is still one of the user's. */
  readonly onDropped: (state: ThreadState, isThere: boolean) => void;
  /** The server's data is another than that of which all this is held. */
  readonly onOtherDeployment: () => void;
}

/**
 * Whether what this device holds is still what the server has (docs/design.md, section 5, Identity). A server tells a
 * log epoch; under another one than before its logs may have been put back. Then each thread that is held is compared
 * by its top, the highest entry held under the epoch before: one that is the same proves all below. A thread in which
 * something is to be sent or reported is compared at once, the others when it suits, and what is held of one that
 * differs is dropped. Until a thread is compared its top stays as it was: what comes is of the new history. If that
 * ends too before the thread was compared, what came under it is compared beside the top (tops.ts).
 */
export class History {
  readonly #deps: HistoryDeps;
  readonly #backoff: Backoff;
  readonly #due = new Set<ThreadState>();
  readonly #wanted = new Set<ThreadState>();
  #deployment = "";
  #epoch = 0;
  #isOpen = false;
  #isRunning = false;
  /** Each is called after the next try, or when the session is over. */
  readonly #waiting: (() => void)[] = [];
  /** The next call waits for the backoff. */
  #hasFailed = false;
  #cancel: (() => void) | undefined;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
  }

  /** Takes what an earlier run noted. After the threads. */
  load(kept: ReadonlyMap<string, Json>): void {
    this.#deployment = String(kept.get(DEPLOYMENT_KEY) ?? "");
    this.#begin(Number(kept.get(EPOCH_KEY) ?? 0));
  }

  /** The newest that a server has told; 0 before that, or if it tells none. */
  get logEpoch(): number {
    return this.#epoch;
  }

  /** Takes what `opened` tells. Without an id the server is of before there were any. */
  opened(deploymentId: Uint8Array, logEpoch: number): void {
    const id = hex(deploymentId);
    if (id !== "" && id !== this.#deployment) {
      const isOther = this.#deployment !== "";
      this.#deployment = id;
      if (isOther) this.#deps.onOtherDeployment();
      this.#deps.keeper.mark(DEPLOYMENT_KEY, () => this.#deployment);
    }
    this.told(logEpoch);
  }

  /** Takes the epoch that `opened`, Sync, or a refusal tells. */
  told(logEpoch: number): void {
    if (logEpoch === 0 || logEpoch === this.#epoch) return;
    for (const state of this.#due) state.tops.epochEnded();
    this.#begin(logEpoch);
    this.#deps.keeper.mark(EPOCH_KEY, () => this.#epoch);
    this.#schedule(this.#wanted.size > 0 ? 0 : JITTER_MS * this.#deps.random());
  }

  /** Whether a thread was compared under the epoch of now, or nothing is held of it. */
  isProved(threadId: string): boolean {
    const state = this.#deps.threads.get(threadId);
    return !state || state.logEpoch === this.#epoch;
  }

  /** Compares a thread now, or as soon as there is a session. */
  want(threadId: string): void {
    const state = this.#deps.threads.get(threadId);
    if (!state || !this.#due.has(state)) return;
    this.#wanted.add(state);
    if (!this.#hasFailed) this.#schedule(0);
  }

  /**
   * Resolves when these threads, or all, are compared, or that cannot be had for now: there is no session, or the try has
   * failed and is repeated later. Never rejects.
   */
  async compared(threadIds?: readonly string[]): Promise<void> {
    for (;;) {
      const due = [...this.#due].filter(({ threadId }) => threadIds?.includes(threadId) ?? true);
      for (const { threadId } of due) this.want(threadId);
      if (due.length === 0 || !this.#isOpen || this.#hasFailed) return;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Says whether there is a session. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#hasFailed = false;
    if (!isOpen) {
      this.#stop();
      this.#wake();
    } else if (this.#wanted.size > 0) this.#schedule(0);
    else if (this.#due.size > 0) this.#schedule(JITTER_MS * this.#deps.random());
  }

  #begin(epoch: number): void {
    this.#epoch = epoch;
    this.#due.clear();
    this.#wanted.clear();
    for (const state of this.#deps.threads.all()) {
      if (state.isEmpty) state.logEpoch = epoch;
      if (state.logEpoch !== epoch) this.#due.add(state);
    }
    // A page that a person looks at is not left wrong for a minute.
    for (const state of this.#due) if (state.log.isOpen) this.#wanted.add(state);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(ms: number): void {
    this.#stop();
    if (!this.#isOpen || this.#isRunning || this.#due.size === 0) return;
    if (ms === 0) queueMicrotask(() => void this.#run());
    else this.#cancel = this.#deps.clock.after(ms, () => void this.#run());
  }

  async #run(): Promise<void> {
    if (!this.#isOpen || this.#isRunning || this.#due.size === 0) return;
    this.#isRunning = true;
    this.#hasFailed = false;
    let waitMs = PACE_MS * (0.5 + this.#deps.random());
    try {
      await this.#compare();
      this.#backoff.reset();
      if (this.#wanted.size > 0) waitMs = 0;
    } catch (thrown) {
      this.#hasFailed = true;
      waitMs = this.#backoff.nextDelayMs(asError(thrown).retryAfterMs);
    }
    this.#isRunning = false;
    this.#schedule(waitMs);
    this.#wake();
  }

  async #compare(): Promise<void> {
    const epoch = this.#epoch;
    const asked = inOneCall([...new Set([...this.#wanted, ...this.#due])]);
    const held = await Promise.all(asked.flatMap((each) => namesOf(each, this.#deps.digest)));
    const answer = await this.#deps.calls.call(MessageService.method.compareHeld, { held });
    this.told(Number(answer.logEpoch));
    if (this.#epoch !== epoch) return; // Begun anew meanwhile.
    let at = 0;
    for (const each of asked) {
      const compared = answer.compared.slice(at, at + Math.max(1, each.tops.length));
      at += compared.length;
      this.#take(each, compared);
    }
  }

  /** A log that ends below what was known of it has lost something, though the top be the same. */
  #take({ state, headSeq }: Asked, compared: readonly CompareHeldResponse_Compared[]): void {
    const [{ head } = {}] = compared;
    if (compared.length === 0 || !this.#due.delete(state)) return;
    this.#wanted.delete(state);
    // The server cannot read it, now or for good: what is held is kept, and compared under the next epoch.
    if (compared.some(({ isDamaged }) => isDamaged)) return;
    const from = state.logEpoch;
    state.logEpoch = this.#epoch;
    const isSame = compared.every((each) => each.isSame) && !state.tops.isLost;
    if (isSame && head && toHead(head).seq >= headSeq) {
      state.tops.prove(state.log.last);
      this.#deps.threads.keepState(state);
      this.#deps.onProved(state.threadId, from);
      return;
    }
    this.#deps.threads.dropEntries(state);
    this.#deps.onDropped(state, head !== undefined);
  }
}

type Held = MessageInitShape<typeof CompareHeldRequest_HeldSchema>;

/** A thread, and the entries of it that a call asks about. */
interface Asked {
  readonly state: ThreadState;
  readonly threadId: string;
  readonly tops: readonly Top[];
  /** How far the log was known to reach when the call was made: what comes meanwhile is above the head of its answer. */
  readonly headSeq: number;
}

/** The first of these threads, as many as one call can ask about. */
function inOneCall(states: readonly ThreadState[]): readonly Asked[] {
  const asked: Asked[] = [];
  let entries = 0;
  for (const state of states) {
    const { threadId, tops } = state;
    entries += Math.max(1, tops.toCompare.length);
    if (entries > MOST) break;
    asked.push({ state, threadId, tops: tops.toCompare, headSeq: state.log.head.seq });
  }
  return asked;
}

/** What CompareHeld is asked of a thread: each entry, or the head alone. */
function namesOf({ threadId, tops }: Asked, digest: Digest): Promise<Held>[] {
  const id = fromHex(threadId);
  if (tops.length === 0) return [Promise.resolve({ threadId: id, seq: 0n })];
  return tops.map(async (top) => {
    const name = entryNameBytes(id, { ...top, clientId: fromHex(top.clientId) });
    const entryHash = await digest(name);
    return { threadId: id, seq: BigInt(top.seq), entryHash };
  });
}
