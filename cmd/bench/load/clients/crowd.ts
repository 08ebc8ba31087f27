import { GrpcConnection } from "../wire/grpc-connection.ts";
import { ChatClient, type ChatClientSink } from "./chat-client.ts";

/** How often acks and pings are looked after, in ms: an ack may be so much later than its 200 ms. */
const TICK_MS = 50;

/** How often `until` looks. */
const LOOK_MS = 20;

/** What is told of the troubles of a load at most. */
const TROUBLES = 20;

/** Who is to be connected, and how. */
export interface CrowdOptions {
  readonly grpcUrl: string;
  readonly users: readonly { readonly userId: string; readonly token: string }[];
  /** Clients that connect at a time. */
  readonly atOnce: number;
  /** Streams that share a TCP connection, as behind a proxy. Default 1. */
  readonly streamsAConnection?: number;
}

/** The clients of a load, with one timer for all of them. Their OpenSessions share a connection, as a gateway has it. */
export class Crowd {
  /** In the order of their user ids. */
  readonly clients: ChatClient[] = [];
  readonly #connections: GrpcConnection[] = [];
  /** What went wrong, the first few. */
  readonly #troubles: string[] = [];
  readonly #sink: ChatClientSink;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(sink: Omit<ChatClientSink, "onTrouble"> = {}) {
    this.#sink = { ...sink, onTrouble: (what) => this.note(what) };
  }

  /** Adds clients, not connected yet. */
  seat({ grpcUrl, users, streamsAConnection = 1 }: Omit<CrowdOptions, "atOnce">): ChatClient[] {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    const dial = () => {
      const connection = new GrpcConnection(grpcUrl);
      this.#connections.push(connection);
      return connection;
    };
    const gateway = dial();
    const seated: ChatClient[] = [];
    for (let at = 0; at < users.length; at += streamsAConnection) {
      const push = dial();
      for (const user of users.slice(at, at + streamsAConnection))
        seated.push(new ChatClient({ ...user, gateway, push }, this.#sink));
    }
    this.clients.push(...seated);
    // So that pairs and posters are the same in each run, in whatever order users are given.
    this.clients.sort((a, b) => (a.userId < b.userId ? -1 : 1));
    return seated;
  }

  /** Adds clients and connects them, `atOnce` at a time. Rejects if one cannot. */
  async connect(options: CrowdOptions): Promise<void> {
    // One iterator that all of them take from: as many connect at a time as there are loops.
    const waiting = this.seat(options).values();
    const connectOnes = async () => {
      for (const client of waiting) await client.open();
    };
    await Promise.all(Array.from({ length: options.atOnce }, connectOnes));
  }

  /** Closes every connection. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.close();
  }

  /** Something went wrong. */
  note(what: string): void {
    if (!this.#isClosed && this.#troubles.length < TROUBLES) this.#troubles.push(what);
  }

  /** Throws if anything went wrong so far: figures of a run with troubles mean nothing. */
  demandNoTrouble(): void {
    if (this.#troubles.length > 0) throw new Error(`the run had troubles: ${this.#troubles.join("; ")}`);
  }

  /** Resolves when `isSo`. Rejects at trouble, and after `limitMs` with what `found` says. */
  async until(isSo: () => boolean, limitMs: number, found: () => string): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (!isSo()) {
      this.demandNoTrouble();
      if (performance.now() > deadlineMs) throw new Error(`${found()} in ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const client of this.clients) client.tick(nowMs);
  }
}
