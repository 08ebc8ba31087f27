import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import type { Target } from "../../contract/bad-input-target.ts";
import { RawStream } from "../../contract/raw-stream.ts";
import type { Answers } from "../programs/heddle-child.ts";
import { devTokens, ROOT } from "../programs/heddle-process.ts";

/** Heddle in a process of its own that answers questions about its memory. */
export class AskedHeddle {
  readonly #child: ChildProcess;

  constructor(dataDir: string) {
    this.#child = fork(join(ROOT, "internal/testing/trials/programs/heddle-child.ts"), [dataDir], {
      execPath: process.execPath,
      env: { ...process.env, HEDDLE_LOG_LEVEL: "error" },
    });
  }

  /** Resolves to its answer. Asked "ready", it resolves once Heddle serves. One question at a time. */
  async ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q]> {
    if (question !== "ready") this.#child.send(question);
    for (;;) {
      const [answer] = (await once(this.#child, "message")) as [Partial<Answers>];
      const said = answer[question];
      if (said !== undefined) return said;
    }
  }

  /** Heddle stops in order. Resolves when the process has ended. */
  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.send("stop");
    await exit;
  }
}

/** A client that holds what it reads, acknowledges as it reads, and can stop reading. */
export class Reader {
  readonly userId: string;
  /** The seqs that it has, from the stream or pulled. */
  readonly held = new Set<number>();
  /** The longest time between an entry's making and its arrival, in ms. */
  latestMs = 0;
  /** Whether it was told that it missed something. */
  behind = false;
  /** What comes on it is acknowledged as it is read. */
  readonly stream: RawStream;
  #watching = true;

  constructor(userId: string, stream: RawStream) {
    this.userId = userId;
    this.stream = stream;
    void this.#watch();
  }

  /** Stops reading: from now on not a byte is taken off its stream. */
  stop(): void {
    this.#watching = false;
    this.stream.pause();
  }

  /** Reads again. */
  goOn(): void {
    this.#watching = true;
    this.stream.resume();
    void this.#watch();
  }

  async #watch(): Promise<void> {
    for (let seen = 0; (await this.stream.more(seen)) && this.#watching; ) {
      const events = this.stream.events.slice(seen);
      seen = this.stream.events.length;
      for (const { kind } of events) {
        if (kind.case === "behind" || kind.case === "behindAll") this.behind = true;
        if (kind.case !== "entry") continue;
        this.held.add(Number(kind.value.seq));
        this.latestMs = Math.max(this.latestMs, Date.now() - Number(kind.value.createdAtMs));
      }
      this.stream.ack();
    }
  }

  /** Resolves when it has been told that it is behind, or holds `count` entries. */
  async told(count: number): Promise<void> {
    for (let seen = 0; !this.behind && this.held.size < count; seen = this.stream.events.length) {
      if (!(await this.stream.more(seen))) throw new Error(`the stream of ${this.userId} ended`);
    }
  }

  /** Pulls what it does not hold, as a client does that was told it is behind. */
  async pull(target: Target, writer: string, head: number): Promise<void> {
    const threadId = directThreadId(writer, this.userId);
    const token = (await devTokens(target.addresses.webUrl, [this.userId]))[this.userId];
    for (let after = 0; after < head; ) {
      const position = { case: "afterSeq" as const, value: BigInt(after) };
      const page = await target.call(
        MessageService.method.listEntries,
        { threadId, position, pageSize: 200 },
        token,
      );
      for (const { seq } of page.entries) this.held.add(Number(seq));
      after += page.entries.length;
      if (page.entries.length === 0) throw new Error(`${hex(threadId)} ends at ${after}, not at ${head}`);
    }
  }
}

/** Sends `count` texts of `bytes` to the readers in turn, with a bounded number on the way. Resolves when all are accepted. */
export async function write(
  stream: RawStream,
  readers: readonly Reader[],
  count: number,
  bytes: number,
): Promise<void> {
  const body = { kind: { case: "text" as const, value: { text: "x".repeat(bytes) } } };
  const baseSeqs = new Map<string, bigint>();
  let accepted = 0;
  const seen = { events: 0 };
  for (let sent = 0; accepted < count; ) {
    for (; sent < count && sent - accepted < 100; sent++) {
      const reader = readers[sent % readers.length] as Reader;
      const target = { case: "toUserId" as const, value: reader.userId };
      const baseSeq = baseSeqs.get(reader.userId) ?? 0n;
      const send = { target, clientId: newUuid(Date.now()), baseSeq, attempt: 1, body };
      stream.say({ case: "send", value: send as never });
    }
    if (!(await stream.more(seen.events)))
      throw (await stream.ended()) ?? new Error("the writer's stream ended");
    for (const { kind } of stream.events.slice(seen.events)) {
      if (kind.case === "refused") throw new Error(kind.value.message);
      if (kind.case === "accepted") accepted += 1;
    }
    seen.events = stream.events.length;
    stream.ack();
  }
}

/** A Connect stream of a user that has caught up; through an edge if one is given. */
export async function connect(
  target: Target,
  userId: string,
  edge?: { readonly url: string; readonly ca: Buffer },
): Promise<RawStream> {
  const tokens = await devTokens(target.addresses.webUrl, [userId]);
  const ticket = await target.ticket(userId, "phone", tokens[userId]);
  const stream = new RawStream(edge?.url ?? target.addresses.grpcUrl, ticket, edge?.ca);
  stream.open("phone");
  stream.keepAlive();
  await stream.next("caughtUp");
  return stream;
}
