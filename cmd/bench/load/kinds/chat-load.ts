import { directThreadId } from "../../../../internal/base/thread-id.ts";
import type { ChatClient } from "../clients/chat-client.ts";
import { Crowd, type CrowdOptions } from "../clients/crowd.ts";
import { type SendCounts, SendLog } from "../counts/send-log.ts";
import { type Pace, pace } from "../pace/pacer.ts";
import { clientFrame, sendFrame, sendTail } from "../wire/client-frames.ts";

/** How long what is under way may take to settle when the sending has stopped. */
const SETTLE_MS = 10_000;

/** Latencies as text, for Latencies' constructor. */
export interface EncodedLatencies {
  readonly accepted: string;
  readonly arrived: string;
}

/** Pairs of users who write to each other in direct threads, each on a TCP connection of its own. */
export class ChatLoad {
  readonly #log = new SendLog();
  readonly #crowd = new Crowd({
    onEntry: (_, clientId) => this.#log.noteArrived(clientId, performance.now()),
    onAccepted: (client, clientId) => this.#accepted(client, clientId),
  });
  #tail = sendTail("hello");
  /** While there is sending. */
  #sending: AbortController | undefined;
  /** Every `accepted` calls for the next send: a closed window. */
  #isWindow = false;

  /** Connects the users, neighbours in alphabetical order being pairs, and makes their threads. */
  async connect(options: CrowdOptions & { readonly textBytes: number }): Promise<void> {
    this.#tail = sendTail("x".repeat(options.textBytes));
    await this.#crowd.connect(options);
    const { clients } = this.#crowd;
    for (let at = 0; at + 1 < clients.length; at += 2) {
      const [a, b] = [clients[at] as ChatClient, clients[at + 1] as ChatClient];
      a.threadId = directThreadId(a.userId, b.userId);
      b.threadId = a.threadId;
      this.#greet(a, b.userId);
    }
    await this.#settled();
  }

  /** Keeps so many sends of each client under way, at full load, until `stop`. */
  startWindow(inFlight: number): void {
    this.#sending = new AbortController();
    this.#isWindow = true;
    for (const client of this.#crowd.clients) {
      for (let count = 0; count < inFlight; count++) this.#send(client, performance.now());
    }
  }

  /** Sends by a schedule, client after client, until its end or `stop`. */
  startRate(schedule: Pace): void {
    const { clients } = this.#crowd;
    this.#sending = new AbortController();
    const send = (index: number, dueMs: number) => {
      const client = clients[index % clients.length];
      if (client) this.#send(client, dueMs);
    };
    void pace(schedule, send, this.#sending.signal);
  }

  /** Entries that have come to their recipients so far. Throws if anything went wrong. */
  done(): number {
    this.#crowd.demandNoTrouble();
    return this.#log.counts.arrived;
  }

  /** Forgets the latencies so far: what was warm-up. */
  resetLatencies(): void {
    this.#log.accepted.reset();
    this.#log.arrived.reset();
  }

  latencies(): EncodedLatencies {
    return { accepted: this.#log.accepted.encode(), arrived: this.#log.arrived.encode() };
  }

  /** Stops sending; resolves when everything sent has been accepted and has arrived. Rejects if that fails. */
  async stop(): Promise<SendCounts> {
    this.#sending?.abort();
    this.#sending = undefined;
    await this.#settled();
    const { counts } = this.#log;
    if (counts.repeats > 0) throw new Error(`${counts.repeats} outcomes or entries came twice`);
    return counts;
  }

  /** The head of each pair's thread, with a member of it. */
  heads(): { readonly userId: string; readonly threadId: Uint8Array; readonly seq: number }[] {
    const firsts = this.#crowd.clients.filter((_, at) => at % 2 === 0);
    return firsts.map(({ userId, threadId, heldSeq }) => ({ userId, threadId, seq: heldSeq }));
  }

  /** The first message of a pair, which makes the thread: it names the user, for there is no thread to name. */
  #greet(client: ChatClient, toUserId: string): void {
    const value = {
      target: { case: "toUserId", value: toUserId },
      clientId: Uint8Array.from(this.#log.next(performance.now())),
      attempt: 1,
      body: { kind: { case: "text", value: { text: "hello" } } },
    };
    client.say(clientFrame({ case: "send", value: value as never }));
  }

  #send(client: ChatClient, dueMs: number): void {
    client.say(sendFrame(client.threadId, this.#log.next(dueMs), client.heldSeq, this.#tail));
  }

  #accepted(client: ChatClient, clientId: Uint8Array): void {
    const nowMs = performance.now();
    // In this order: what is counted as under way never falls below the window.
    this.#log.noteAccepted(clientId, nowMs);
    if (this.#isWindow && this.#sending) this.#send(client, nowMs);
  }

  #settled(): Promise<void> {
    return this.#crowd.until(
      () => this.#log.isSettled,
      SETTLE_MS,
      () => `not all came: ${JSON.stringify(this.#log.counts)}`,
    );
  }
}
