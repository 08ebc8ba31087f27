import assert from "node:assert/strict";
import {
  type Client,
  type ClientEvent,
  Code,
  connect,
  ErrorReason,
  HeddleError,
  MemoryStorage,
} from "../../../../client/index.ts";
import type { Storage } from "../../../../client/storage/storage.ts";
import { fromHex } from "../../../base/ids.ts";
import type { ListEntriesRequest } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { FakeTransport } from "../../fakes/client/fake-transport.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";

/** The thread that everything is about, in hex: ann and bob. */
export const THREAD = "ab".repeat(16);

/** Everything that is due without time passing has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** One of bob's entries, as the stream and ListEntries have it. */
export function wireEntry(seq: number, more: object = {}) {
  const body = { kind: { case: "text", value: { text: `message ${seq}` } } } as const;
  const ids = { threadId: fromHex(THREAD), clientId: fromHex(seq.toString(16).padStart(32, "0")) };
  return { ...ids, seq: BigInt(seq), sender: "bob", ordinal: BigInt(seq), createdAtMs: 1n, body, ...more };
}

/** The head of a thread in which every entry is a message. */
export const head = (seq: number) => ({ seq: BigInt(seq), ordinal: BigInt(seq) });

/** The thread's row. */
export function wireRow(seq: number, readSeq = 0) {
  const id = { threadId: fromHex(THREAD), participants: ["ann", "bob"], kind: 1 };
  return { ...id, head: head(seq), readSeq: BigInt(readSeq), readOrdinal: BigInt(readSeq) };
}

/** Answers ListEntries from a log of 1..last. */
export function listEntries(request: ListEntriesRequest, last: number) {
  const { position, pageSize } = request;
  const size = pageSize || 50;
  const from =
    position.case === "afterSeq"
      ? Number(position.value) + 1
      : Math.max(1, (position.case === "beforeSeq" ? Number(position.value) : last + 1) - size);
  const to = Math.min(position.case === "beforeSeq" ? Number(position.value) - 1 : last, from + size - 1);
  const entries = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => wireEntry(from + at));
  return { entries, head: head(last) };
}

/** A client of ann's on a fake server and a fake clock. */
export class ClientWorld {
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  /** What the client told the application, in order. */
  readonly events: ClientEvent[] = [];
  /** Each call for a token, and whether the one before had been refused. */
  readonly stale: boolean[] = [];
  client!: Client;

  /** Connecting. */
  async start(storage: Storage = new MemoryStorage()): Promise<this> {
    this.client = await connect({
      userId: "ann",
      deviceId: "ann-1",
      transport: this.transport,
      clock: this.clock,
      random: () => 0.5,
      storage,
      credentials: ({ isStale }) => {
        this.stale.push(isStale);
        return Promise.resolve(`token ${this.stale.length}`);
      },
    });
    this.client.on((event) => this.events.push(event));
    await settled();
    return this;
  }

  /** Live, on its first stream. */
  async live(storage?: Storage): Promise<this> {
    await this.start(storage);
    this.transport.stream.welcome("ann");
    await settled();
    assert.equal(this.client.state.phase, "live");
    return this;
  }

  /** Time passes. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }

  /** Time passes, with every ping answered. */
  async passAnswered(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5_000) {
      await this.pass(5_000);
      this.transport.stream.hear({ case: "pong", value: {} });
      await settled();
    }
  }

  /** The seqs that were given out so far. */
  seqs(): number[] {
    return this.events.flatMap((event) => (event.type === "entry" ? [event.entry.seq] : []));
  }

  /** The phases of the connection so far. */
  phases(): string[] {
    return this.events.flatMap((event) => (event.type === "state" ? [event.state.phase] : []));
  }
}

/** A server that cannot be reached. */
export const unavailable = new HeddleError(Code.UNAVAILABLE, ErrorReason.UNSPECIFIED, "away");
