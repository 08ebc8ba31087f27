/** Microseconds between two samples of a profile. */
const SAMPLING_US = 250;

/** How long an answer may take: a large profile takes seconds. */
const ANSWER_MS = 60_000;

/**
 * Node's inspector of another process, on 127.0.0.1: collects its garbage on request, and profiles exactly the window
 * that is measured (`--cpu-prof` would cover start and warm-up too).
 */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Resolves when it stands. Rejects if nobody is there. The URL is what Node prints at its start. */
  static connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(new Inspector(socket)), { once: true });
      socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)), { once: true });
    });
  }

  /** A full collection. */
  async collectGarbage(): Promise<void> {
    await this.#ask("HeapProfiler.collectGarbage");
  }

  /**
   * Begins to sample, from now to `stopProfile`. It costs the server some per cent, so figures of profiled windows are
   * not kept.
   */
  async startProfile(): Promise<void> {
    await this.#ask("Profiler.enable");
    await this.#ask("Profiler.setSamplingInterval", { interval: SAMPLING_US });
    await this.#ask("Profiler.start");
  }

  /** Resolves to a profile as in a .cpuprofile file. */
  async stopProfile(): Promise<unknown> {
    const { profile } = await this.#ask("Profiler.stop");
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      this.#waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (result) resolve(result);
        else reject(new Error(`${method}: ${error?.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

interface Answer {
  readonly id: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}
