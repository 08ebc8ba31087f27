import { ChatClient, type ChatClientSink } from "./chat-client.ts";

const TICK_MS = 50;

/** What is told of the troubles of a load at most. */
const TROUBLES = 20;

/** Who is to be connected. */
export interface CrowdOptions {
  readonly grpcUrl: string;
  readonly users: readonly { readonly userId: string; readonly token: string }[];
  /** Clients that connect at a time. */
  readonly atOnce: number;
}

/** The clients of a load, with one timer for all of them. */
export class Crowd {
  readonly clients: ChatClient[] = [];
  /** What went wrong, the first few. */
  readonly troubles: string[] = [];
  readonly #sink: Omit<ChatClientSink, "onTrouble">;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(sink: Omit<ChatClientSink, "onTrouble"> = {}) {
    this.#sink = sink;
  }

  /** Connects everybody, `atOnce` at a time. Rejects if one cannot. */
  async connect({ grpcUrl, users, atOnce }: CrowdOptions): Promise<void> {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    const waiting = [...users];
    const sink = { ...this.#sink, onTrouble: (what: string) => this.#note(what) };
    const connectOnes = async () => {
      for (let user = waiting.shift(); user; user = waiting.shift()) {
        const client = new ChatClient({ grpcUrl, ...user }, sink);
        this.clients.push(client);
        await client.open();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, connectOnes));
    this.clients.sort((a, b) => (a.userId < b.userId ? -1 : 1));
  }

  /** Closes every connection. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const client of this.clients) client.close();
  }

  /** Throws if anything went wrong so far: figures of a run with troubles mean nothing. */
  demandNoTrouble(): void {
    if (this.troubles.length > 0) throw new Error(`the run had troubles: ${this.troubles.join("; ")}`);
  }

  #note(what: string): void {
    if (!this.#isClosed && this.troubles.length < TROUBLES) this.troubles.push(what);
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const client of this.clients) client.tick(nowMs);
  }
}
