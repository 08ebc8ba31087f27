import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { OutboxItem } from "../../../../client/model/model.ts";
import { Outbox } from "../../../../client/outbox/outbox.ts";
import { type Epochs, OutboxPump, type Voice } from "../../../../client/outbox/outbox-pump.ts";
import { MemoryStorage } from "../../../../client/storage/memory-storage.ts";
import type { Calls } from "../../../../client/stream/calls.ts";
import { asError } from "../../../../client/transport/wire.ts";
import type { Clock } from "../../../base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import {
  type ResolveSendRequest,
  ResolveSendResponseSchema,
  type SendRequest,
} from "../../../gen/heddle/message/v1/message_service_pb.js";
import type { ClientFrame } from "../../../gen/heddle/push/v1/frame_pb.js";
import { FakeClock } from "../../fakes/time/fake-clock.ts";

/** Two threads, in hex. */
export const THREADS = ["a".repeat(32), "b".repeat(32)];

/** What becomes of one try on its way, or of its answer. */
export type Fate =
  | "answered"
  /** It arrives, but its answer does not: the stream ends. */
  | "answer lost"
  /** It does not arrive: the stream ends. */
  | "lost"
  /** The stream ends, and it arrives when the client is long repeating it. */
  | "late"
  | "unavailable, not committed"
  | "unavailable, committed"
  /** A refusal that lasts; with committed=never for a first try. */
  | "invalid"
  | "base too old"
  /** Nothing at all happens. */
  | "silence"
  /** The process dies after it was said. */
  | "crash"
  /** It arrives; then the server starts again, with all that it had, or without its newest entries. */
  | "restart"
  | "put back by 1"
  | "put back by 3"
  /** The server is put back first. */
  | "put back before";

/** One entry: of the client's, a void of a send of its, or of somebody else (no text). */
interface Entry {
  readonly thread: string;
  readonly clientId: string;
  readonly text: string;
  readonly isVoid: boolean;
}

/**
 * A message service as far as sends know it: within one log epoch exactly once per client_id, looked for above the
 * base_seq, and seals. Put back it has lost its newest entries, and another epoch has begun.
 */
class Mesh {
  readonly log: Entry[] = [];
  readonly late: SendRequest[] = [];
  readonly attempts = new Map<string, number[]>();
  readonly invalid = new Set<string>();
  epoch = 1;

  /** The log of a thread. */
  of(thread: string): readonly Entry[] {
    return this.log.filter((entry) => entry.thread === thread);
  }

  /** Appends a send, or finds it; returns its seq. Throws what the message service would refuse it with. */
  commit(send: SendRequest): number {
    if (Number(send.logEpoch) !== this.epoch) {
      const metadata = { log_epoch: String(this.epoch) };
      const reason = ErrorReason.OTHER_LOG_EPOCH;
      throw new HeddleError(Code.FAILED_PRECONDITION, reason, "refused", { metadata });
    }
    const thread = hex(send.target.value as Uint8Array);
    const clientId = hex(send.clientId);
    const at = this.#find(thread, clientId, Number(send.baseSeq));
    if (at < 0) {
      const text = send.body?.kind.case === "text" ? send.body.kind.value.text : "";
      this.log.push({ thread, clientId, text, isVoid: false });
      return this.of(thread).length;
    }
    if (this.of(thread)[at]?.isVoid) throw refusal(Code.FAILED_PRECONDITION, ErrorReason.SEALED, true);
    return at + 1;
  }

  /** What ResolveSend answers: a seal of what is not there appends a void. */
  resolve(request: ResolveSendRequest) {
    const thread = hex(request.target.value as Uint8Array);
    const clientId = hex(request.clientId);
    const at = this.#find(thread, clientId, Number(request.baseSeq));
    const never = { case: "never", value: { seq: 0n } } as const;
    if (this.of(thread)[at]?.isVoid) return never;
    if (at >= 0) return { case: "committed", value: { seq: BigInt(at + 1), createdAtMs: 1n } } as const;
    if (!request.seal) return { case: "unknown", value: {} } as const;
    this.log.push({ thread, clientId, text: "", isVoid: true });
    return never;
  }

  /** Loses the newest entries, which are returned; then somebody else writes in each thread. */
  putBack(entries: number): readonly Entry[] {
    const lost = this.log.splice(this.log.length - Math.min(entries, this.log.length));
    this.epoch += 1;
    if (entries > 0) {
      for (const thread of THREADS) this.log.push({ thread, clientId: "", text: "", isVoid: false });
    }
    return lost;
  }

  /** The place of a send above its base_seq, or -1. */
  #find(thread: string, clientId: string, baseSeq: number): number {
    const entries = this.of(thread);
    if (baseSeq > entries.length) throw refusal(Code.INVALID_ARGUMENT, ErrorReason.BASE_BEYOND_HEAD, false);
    return entries.findIndex((entry, at) => at >= baseSeq && entry.clientId === clientId);
  }
}

/** A refusal as the service makes it; `never`: it will not be in the log later either. */
function refusal(code: Code, reason: ErrorReason, never: boolean): HeddleError {
  return new HeddleError(code, reason, "refused", { metadata: never ? { committed: "never" } : {} });
}

/** One life of the client's outbox, on storage that outlives it. */
class Life {
  readonly clock = new FakeClock();
  readonly outbox: Outbox;
  readonly pump: OutboxPump;
  readonly items = new Map<string, OutboxItem>();
  readonly #world: OutboxWorld;
  #voice: Voice | undefined;

  constructor(world: OutboxWorld) {
    this.#world = world;
    this.outbox = new Outbox({
      storage: world.storage,
      clock: this.clock,
      baseSeq: (thread) => world.holdingOf(thread).entries.length,
      logEpoch: (thread) => world.holdingOf(thread).epoch,
      peer: () => undefined,
      onChange: (item, place) => {
        this.items.set(item.clientId, item);
        if (place) world.hold(place.threadId, place.seq, item.text);
      },
      onFault: (fault) => assert.fail(String(fault)),
    });
    const call = (_method: unknown, request: ResolveSendRequest) => {
      if (++world.resolves % 3 === 1) return Promise.reject(new HeddleError(Code.UNAVAILABLE, 0, "away"));
      return Promise.resolve(
        create(ResolveSendResponseSchema, { outcome: world.mesh.resolve(request) as never }),
      );
    };
    const calls = { call } as unknown as Pick<Calls, "call">;
    const clock: Clock = {
      nowMs: () => this.clock.nowMs(),
      monotonicMs: () => this.clock.monotonicMs(),
      // Browsers' timers come a little early.
      after: (ms, callback) => this.clock.after(Math.max(0, ms - 0.9), callback),
    };
    this.pump = new OutboxPump({
      outbox: this.outbox,
      calls,
      clock,
      random: () => 0.5,
      history: world.historyOf(() => this.pump),
    });
  }

  /** A stream is open: the server has told its epoch. */
  connect(): void {
    const voice: Voice = {
      say: (frame) => this.#world.say(frame, this, voice),
      settle: () => {},
      answerIsOverdue: () => {},
    };
    this.#voice = voice;
    this.#world.told(this.#world.mesh.epoch);
    this.pump.setSession(voice);
  }

  /** The stream has ended, for the client at least: what it said may still arrive. */
  endStream(voice: Voice): void {
    this.pump.sessionEnded(voice);
    if (this.#voice === voice) this.#voice = undefined;
  }

  get isConnected(): boolean {
    return this.#voice !== undefined;
  }
}

/** What the client holds of a thread, and under which epoch that was so. */
interface Holding {
  readonly entries: readonly Entry[];
  readonly epoch: number;
}

/** A client's outbox, its storage, and a message service, with the fate of each try. */
export class OutboxWorld {
  readonly storage = new MemoryStorage();
  readonly mesh = new Mesh();
  /** Texts of which the client was told that they are in the log, which then lost them. */
  readonly lost = new Set<string>();
  readonly #told = new Set<string>();
  readonly #holdings = new Map<string, Holding>();
  #epoch = 0;
  readonly fates: Fate[];
  life = new Life(this);
  isCrashed = false;
  resolves = 0;

  constructor(fates: readonly Fate[]) {
    this.fates = [...fates];
  }

  /** What the client holds of a thread: all up to the last send that it was told of. Outlives its crashes. */
  holdingOf(thread: string): Holding {
    return this.#holdings.get(thread) ?? { entries: [], epoch: this.#epoch };
  }

  /** The client was told that a send is at this seq, and holds all up to it. */
  hold(thread: string, seq: number, text: string): void {
    this.#told.add(text);
    // Put back while the answer was on its way.
    if (!this.mesh.log.some((entry) => entry.text === text)) this.lost.add(text);
    const { entries, epoch } = this.holdingOf(thread);
    const isCurrent = epoch === this.#epoch;
    this.#holdings.set(thread, { entries: isCurrent ? this.mesh.of(thread).slice(0, seq) : entries, epoch });
  }

  /** The server says which epoch it is. */
  told(epoch: number): void {
    this.#epoch = epoch;
  }

  /** What the outbox asks of the client's history: which epoch is known, and whether what is held is proved in it. */
  historyOf(pump: () => OutboxPump): Epochs {
    const world = this;
    return {
      get logEpoch() {
        return world.#epoch;
      },
      isProved: (thread) => world.holdingOf(thread).epoch === world.#epoch,
      want: (thread) => queueMicrotask(() => world.#compare(thread, pump())),
      told: (epoch) => world.told(epoch),
    };
  }

  /** By the top alone, as CompareHeld does. */
  #compare(thread: string, pump: OutboxPump): void {
    const { entries, epoch } = this.holdingOf(thread);
    if (epoch === this.#epoch || this.#epoch !== this.mesh.epoch) return;
    const isSame = this.mesh.of(thread)[entries.length - 1] === entries.at(-1);
    this.#holdings.set(thread, { entries: isSame ? entries : [], epoch: this.#epoch });
    if (isSame) pump.proved(thread, epoch);
    else pump.pump();
  }

  /** Puts the server back; notes what it lost of what the client was told. */
  #putBack(entries: number): void {
    for (const { text } of this.mesh.putBack(entries)) if (this.#told.has(text)) this.lost.add(text);
  }

  /** What becomes of a try: the next fate, or "answered" when all are used up. */
  async say(frame: ClientFrame, life: Life, voice: Voice): Promise<undefined> {
    const send = frame.kind.value as SendRequest;
    const clientId = hex(send.clientId);
    await this.#checkAttempt(clientId, send.attempt);
    const fate = this.fates.shift() ?? "answered";
    const answer = (act: () => number) => {
      try {
        const seq = act();
        life.pump.accepted(clientId, {
          threadId: hex(send.target.value as Uint8Array),
          seq,
          createdAtMs: 1,
          recipientOffline: undefined,
        });
      } catch (thrown) {
        life.pump.refused(clientId, asError(thrown));
      }
    };
    switch (fate) {
      case "answered":
        if (this.mesh.invalid.has(clientId))
          answer(() => {
            throw this.#invalid(send);
          });
        else answer(() => this.mesh.commit(send));
        break;
      case "answer lost":
        this.#quietly(() => this.mesh.commit(send));
        life.endStream(voice);
        break;
      case "late":
        this.mesh.late.push(send);
        life.endStream(voice);
        break;
      case "lost":
        life.endStream(voice);
        break;
      case "unavailable, committed":
        this.#quietly(() => this.mesh.commit(send));
        answer(() => {
          throw refusal(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, false);
        });
        break;
      case "unavailable, not committed":
        answer(() => {
          throw refusal(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, send.attempt === 1);
        });
        break;
      case "invalid":
        this.mesh.invalid.add(clientId);
        answer(() => {
          throw this.#invalid(send);
        });
        break;
      case "base too old":
        answer(() => {
          const own = this.mesh.of(hex(send.target.value as Uint8Array));
          const at = own.findIndex((each) => each.clientId === clientId && !each.isVoid);
          if (at >= 0 && Number(send.logEpoch) === this.mesh.epoch) return at + 1;
          throw refusal(Code.FAILED_PRECONDITION, ErrorReason.BASE_TOO_OLD, false);
        });
        break;
      case "silence":
        break;
      case "restart":
      case "put back by 1":
      case "put back by 3":
        this.#quietly(() => this.mesh.commit(send));
        this.#putBack({ restart: 0, "put back by 1": 1, "put back by 3": 3 }[fate]);
        life.endStream(voice);
        break;
      case "put back before":
        this.#putBack(2);
        life.endStream(voice);
        break;
      case "crash":
        this.#quietly(() => this.mesh.commit(send));
        this.isCrashed = true;
    }
  }

  /** A lasting refusal: `committed=never` is said of a first try only. The duplicate search comes first. */
  #invalid(send: SendRequest): HeddleError {
    return refusal(Code.INVALID_ARGUMENT, ErrorReason.INVALID_FIELD, send.attempt === 1);
  }

  /** The attempt was on storage before it was said, and is higher than every one said before. */
  async #checkAttempt(clientId: string, attempt: number): Promise<void> {
    const said = this.mesh.attempts.get(clientId) ?? [];
    assert.ok(attempt > (said.at(-1) ?? 0), `attempt ${attempt} after ${said}`);
    assert.equal(attempt === 1, said.length === 0, "only a first try is number 1");
    this.mesh.attempts.set(clientId, [...said, attempt]);
    const kept = [...(await this.storage.load())].find(([key]) => key.endsWith(clientId));
    assert.ok(
      (kept?.[1] as { attempt?: number } | undefined)?.attempt ?? 0 >= attempt,
      "said before it was kept",
    );
  }

  #quietly(act: () => void): void {
    try {
      act();
    } catch {
      // It was sealed: nobody hears of it.
    }
  }

  async restart(): Promise<void> {
    this.isCrashed = false;
    this.life.pump.close();
    this.life = new Life(this);
    this.life.outbox.load(await this.storage.load());
  }
}
