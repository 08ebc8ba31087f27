import { createServer } from "node:net";
import { systemClock } from "../../../base/clock.ts";
import { type Addresses, HeddleProcess } from "./heddle-process.ts";

/** bin/heddle, again and again on one data folder and the same ports. */
export class KillableHeddle {
  readonly addresses: Addresses;
  /** Everything that any of its lives has written to its log. */
  readonly logLines: string[] = [];
  readonly #dataDir: string;
  readonly #env: Record<string, string>;
  #process: HeddleProcess | undefined;

  private constructor(dataDir: string, addresses: Addresses, env: Record<string, string>) {
    this.#dataDir = dataDir;
    this.#env = env;
    this.addresses = addresses;
  }

  /** Chooses the ports. It does not run yet. `env`: settings besides. */
  static async on(dataDir: string, env: Record<string, string> = {}): Promise<KillableHeddle> {
    return new KillableHeddle(dataDir, await freeAddresses(), env);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    this.#process = await HeddleProcess.start(this.#dataDir, { again: this.addresses, env: this.#env });
  }

  /** Starts it, and kills it so long after, whether it serves by then or not. */
  async startInVain(killAfterMs: number): Promise<void> {
    let cancel = () => {};
    const starting = HeddleProcess.start(this.#dataDir, {
      again: this.addresses,
      env: this.#env,
      onSpawn: (kill) => {
        cancel = systemClock.after(killAfterMs, kill);
      },
    });
    const served = await starting.catch(() => undefined);
    cancel();
    await served?.stop("SIGKILL");
  }

  /** The newest lines of its log in this life. */
  get stderr(): readonly string[] {
    return this.#process?.stderr ?? [];
  }

  /** Takes no more of its time: what is said to it is never answered. It can only be killed. */
  freeze(): void {
    if (this.#process) process.kill(this.#process.pid, "SIGSTOP");
  }

  /** Sends the signal at once. Resolves when the process is gone. */
  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    await running?.stop(signal);
    this.logLines.push(...(running?.stderr ?? []));
  }
}

/** Free ports that a client's own connections do not get while the program is away: below those that Linux gives out. */
async function freeAddresses(): Promise<Addresses> {
  const urls: string[] = [];
  while (urls.length < 3) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    urls.push(`http://127.0.0.1:${port}`);
  }
  const [grpcUrl = "", webUrl = "", adminUrl = ""] = urls;
  return { grpcUrl, webUrl, adminUrl };
}
