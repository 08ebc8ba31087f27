import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { HeddleError } from "../../../internal/base/heddle-error.ts";
import type { Send } from "../../../internal/base/send.ts";
import { BodySchema } from "../../../internal/gen/heddle/message/v1/entry_pb.js";
import type { Messages } from "../../../internal/push/ports.ts";
import { bindMessages, type Way } from "./bound-messages.ts";
import { openWork, type Work } from "./works.ts";

/** Pairs of users that write to each other. */
const PAIRS = 64;
const TEXT_BYTES = 100;

/** Windows that are waited for something to be done. */
const WINDOWS = 20;

/** Latencies kept at most, the first of a window: more would cost memory, and the time to sort them. */
const KEPT = 1_000_000;

/**
 * `<way> <folder> <warm-up in ms> <window in ms> <work>:<sends under way>…`: for each load keeps so many sends under way,
 * for a window after the warm-up, and prints one line of JSON. CPU is this process's: of both ends, and of what answers.
 */
async function main([way, folder = "", warmUpMs, windowMs, ...loads]: readonly string[]): Promise<void> {
  for (const load of loads) {
    const [work, inFlight] = load.split(":");
    const worked = await openWork(work as Work, folder);
    const bound = await bindMessages(way as Way, worked.messages);
    const asker = new Asker(bound.messages);
    const asking = Array.from({ length: Number(inFlight) }, (_, at) => asker.goOn(at));
    await passed(Number(warmUpMs));
    const figure = await count(asker, Number(windowMs));
    asker.isOver = true;
    // What is under way ends first: else closing would be counted as refusals.
    await Promise.all(asking);
    bound.close();
    await worked.close();
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }
}

/** One window: what was done in it, and what it cost. CPU in µs for one, of the whole process. */
async function count(asker: Asker, windowMs: number) {
  asker.reset();
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()];
  // A longer one while nothing is done at all, as when a disk stalls.
  for (let window = 0; window < WINDOWS && asker.done === 0; window++) await passed(windowMs);
  const { user, system } = process.cpuUsage(cpu);
  const { done, latencies } = asker;
  const seconds = (performance.now() - startedMs) / 1_000;
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    perSecond: done / seconds,
    cpuUs: (user + system) / done,
    p50Ms: sorted[Math.floor(sorted.length / 2)],
    p99Ms: sorted[Math.floor(sorted.length * 0.99)],
  };
}

/** Sends, each next one when the one before is accepted. */
class Asker {
  done = 0;
  latencies: number[] = [];
  isOver = false;
  readonly #messages: Messages;
  readonly #body = toBinary(
    BodySchema,
    create(BodySchema, { kind: { case: "text", value: { text: "x".repeat(TEXT_BYTES) } } }),
  );
  /** What its client ids are made from: a log that other loads have written to knows none of them. */
  readonly #clientId = randomBytes(16);
  /** By pair: its thread, and the newest entry that its sender knows. */
  readonly #known = new Map<number, { readonly threadId: Uint8Array; readonly seq: number }>();
  #sent = 0;

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  reset(): void {
    this.done = 0;
    this.latencies = [];
  }

  /** Keeps one send under way until it is over. Rejects if one is refused: then nothing is measured. */
  async goOn(pair: number): Promise<void> {
    while (!this.isOver) {
      const beganMs = performance.now();
      await this.#send(pair % PAIRS);
      if (this.latencies.length < KEPT) this.latencies.push(performance.now() - beganMs);
      // What is answered within the call must let time pass, and others ask.
      if (++this.done % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A direct message of 100 bytes of text, with a client id of its own. */
  #send(pair: number): Promise<void> {
    const clientId = new Uint8Array(this.#clientId);
    new DataView(clientId.buffer).setUint32(0, ++this.#sent);
    const { threadId, seq: baseSeq = 0 } = this.#known.get(pair) ?? {};
    const send: Send = {
      userId: `from-${pair}`,
      threadId,
      toUserId: threadId ? "" : `to-${pair}`,
      clientId,
      baseSeq,
      logEpoch: 0,
      attempt: 1,
      body: this.#body,
      originSession: "",
    };
    return new Promise((resolve, reject) => {
      this.#messages.send(send, (settled) => {
        if (settled instanceof HeddleError) return reject(settled);
        const { threadId: made, seq } = settled;
        if (seq > baseSeq) this.#known.set(pair, { threadId: made, seq });
        resolve();
      });
    });
  }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await main(process.argv.slice(2));
