import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { Clock } from "../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../internal/base/heddle-error.ts";
import { hex } from "../internal/base/ids.ts";
import {
  type ResolveSendRequest,
  ResolveSendResponseSchema,
  type SendRequest,
} from "../internal/gen-web/heddle/message/v1/message_service_pb.js";
import type { ClientFrame } from "../internal/gen-web/heddle/push/v1/frame_pb.js";
import { FakeClock } from "../internal/testing/fake-clock.ts";
import type { Calls } from "./calls.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { OutboxItem } from "./model.ts";
import { Outbox } from "./outbox.ts";
import { OutboxPump, type Voice } from "./outbox-pump.ts";
import { asError } from "./wire.ts";

const THREADS = ["a".repeat(32), "b".repeat(32)];

/** What becomes of one try on its way, or of its answer. */
type Fate =
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
  readonly #world: World;
  #voice: Voice | undefined;

  constructor(world: World) {
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

class World {
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

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lives until nothing is waiting, through every fate. */
async function run(world: World, texts: readonly { thread: number; text: string }[]): Promise<void> {
  let next = 0;
  for (let step = 0; step < 400; step++) {
    if (world.isCrashed) await world.restart();
    if (!world.life.isConnected) world.life.connect();
    const compose = texts[next];
    if (compose) {
      next += 1;
      const threadId = THREADS[compose.thread] as string;
      const attempt = world.life.pump.canTry(threadId) ? 1 : 0;
      const record = await world.life.outbox.compose(threadId, { threadId }, compose.text, attempt);
      world.life.pump.begin(record);
    }
    await settle();
    world.life.clock.advance(1_000);
    if (step % 5 === 4)
      for (const send of world.mesh.late.splice(0))
        try {
          world.mesh.commit(send);
        } catch {}
    await settle();
    if (!compose && world.life.outbox.items().every((item) => item.state === "failed") && !world.isCrashed)
      return;
  }
  assert.fail(`still waiting: ${JSON.stringify(world.life.outbox.items())}`);
}

const fates = fc.array(
  fc.constantFrom<Fate>(
    "answered",
    "answer lost",
    "lost",
    "late",
    "unavailable, not committed",
    "unavailable, committed",
    "invalid",
    "base too old",
    "silence",
    "crash",
  ),
  { maxLength: 25 },
);
const sends = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 8 });

describe("Outbox", () => {
  it("puts every message into the log exactly once and in order, or says that it failed, through every fate", async () => {
    await fc.assert(
      fc.asyncProperty(fates, sends, async (ways, threads) => {
        const world = new World(ways);
        const texts = threads.map((thread, at) => ({ thread, text: `message ${at}` }));
        await run(world, texts);
        for (const send of world.mesh.late.splice(0))
          try {
            world.mesh.commit(send);
          } catch {}
        const failed = new Set(world.life.outbox.items().map(({ text }) => text));
        for (const [index, id] of THREADS.entries()) {
          const expected = texts.filter(({ thread, text }) => thread === index && !failed.has(text));
          const found = world.mesh.log.filter(({ thread }) => thread === id);
          assert.deepEqual(
            found.map(({ text }) => text),
            expected.map(({ text }) => text),
          );
        }
        const isRefused = ways.includes("invalid") || ways.filter((way) => way === "base too old").length > 1;
        if (!isRefused) assert.equal(failed.size, 0, "nothing fails that was not refused");
        const kept = [...(await world.storage.load()).keys()].filter((key) => key.startsWith("outbox/"));
        assert.equal(kept.length, failed.size, "what is sent is no longer kept");
      }),
      { numRuns: 300 },
    );
  });
});
