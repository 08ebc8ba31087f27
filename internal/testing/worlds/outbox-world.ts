import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { OutboxItem } from "../../../client/model/model.ts";
import { Outbox } from "../../../client/outbox/outbox.ts";
import { OutboxPump, type Voice } from "../../../client/outbox/outbox-pump.ts";
import { MemoryStorage } from "../../../client/storage/memory-storage.ts";
import type { Calls } from "../../../client/stream/calls.ts";
import { asError } from "../../../client/transport/wire.ts";
import type { Clock } from "../../base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import {
  type ResolveSendRequest,
  ResolveSendResponseSchema,
  type SendRequest,
} from "../../gen/heddle/message/v1/message_service_pb.js";
import type { ClientFrame } from "../../gen/heddle/push/v1/frame_pb.js";
import { FakeClock } from "../fakes/fake-clock.ts";

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
  | "crash";

/** A message service as far as sends know it: exactly once per client_id, and seals. */
class Mesh {
  readonly log: { thread: string; clientId: string; text: string }[] = [];
  readonly sealed = new Set<string>();
  readonly late: SendRequest[] = [];
  readonly attempts = new Map<string, number[]>();
  readonly invalid = new Set<string>();

  commit(send: SendRequest): number {
    const clientId = hex(send.clientId);
    const at = this.log.findIndex((each) => each.clientId === clientId);
    if (at >= 0) return at + 1;
    if (this.sealed.has(clientId)) throw refusal(Code.FAILED_PRECONDITION, ErrorReason.SEALED, true);
    const text = send.body?.kind.case === "text" ? send.body.kind.value.text : "";
    this.log.push({ thread: hex(send.target.value as Uint8Array), clientId, text });
    return this.log.length;
  }

  resolve(request: ResolveSendRequest) {
    const clientId = hex(request.clientId);
    const at = this.log.findIndex((each) => each.clientId === clientId);
    if (at >= 0) return { case: "committed", value: { seq: BigInt(at + 1), createdAtMs: 1n } } as const;
    if (!request.seal) return { case: "unknown", value: {} } as const;
    this.sealed.add(clientId);
    return { case: "never", value: { seq: 0n } } as const;
  }
}

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
      baseSeq: () => 0,
      onChange: (item) => this.items.set(item.clientId, item),
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
    this.pump = new OutboxPump({ outbox: this.outbox, calls, clock, random: () => 0.5 });
  }

  connect(): void {
    const voice: Voice = {
      say: (frame) => this.#world.say(frame, this, voice),
      settle: () => {},
    };
    this.#voice = voice;
    this.pump.setSession(voice);
  }

  endStream(voice: Voice): void {
    this.pump.sessionEnded(voice);
    if (this.#voice === voice) this.#voice = undefined;
  }

  get isConnected(): boolean {
    return this.#voice !== undefined;
  }
}

/** A client's outbox, its storage, and a message service, with the fate of each try. */
export class OutboxWorld {
  readonly storage = new MemoryStorage();
  readonly mesh = new Mesh();
  readonly fates: Fate[];
  life = new Life(this);
  isCrashed = false;
  resolves = 0;

  constructor(fates: readonly Fate[]) {
    this.fates = [...fates];
  }

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
          const at = this.mesh.log.findIndex((each) => each.clientId === clientId);
          if (at >= 0) return at + 1;
          throw refusal(Code.FAILED_PRECONDITION, ErrorReason.BASE_TOO_OLD, false);
        });
        break;
      case "silence":
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
