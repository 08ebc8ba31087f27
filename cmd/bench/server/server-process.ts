import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../folders.ts";
import { Inspector } from "./inspector.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { parseUsage, type ServerUsage } from "./server-usage.ts";

/** How long the server may take to start, and to stop before it is killed. */
const START_MS = 20_000;
const STOP_MS = 10_000;

/** Users whose tokens are asked for in one call: the most that the server allows. */
const TOKENS_A_CALL = 1_000;

/** One user who is signed in. */
export interface SignedIn {
  readonly userId: string;
  readonly token: string;
}

/** bin/heddle in a process of its own: free ports of 127.0.0.1, a fresh data folder on the disk of this checkout. */
export class ServerProcess {
  readonly grpcUrl: string;
  /** Undefined unless asked for at the start. */
  readonly inspector: Inspector | undefined;
  readonly #webUrl: string;
  readonly #adminUrl: string;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(
    child: ChildProcess,
    dataDir: string,
    ready: Record<string, string>,
    inspector?: Inspector,
  ) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.grpcUrl = ready.grpc_url ?? "";
    this.#webUrl = ready.web_url ?? "";
    this.#adminUrl = ready.admin_url ?? "";
    this.inspector = inspector;
  }

  /**
   * Resolves when it serves. `inspect` lets garbage be collected and profiles be taken on request; `checkout` is the
   * folder of the program, this one unless given.
   */
  static async start(options: {
    readonly inspect: boolean;
    readonly checkout?: string;
  }): Promise<ServerProcess> {
    const dataDir = await scratchFolder();
    const child = spawn(join(options.checkout ?? ROOT, "bin/heddle"), ["--json"], {
      env: serverEnv(dataDir, options.inspect),
      stdio: ["ignore", "pipe", "pipe"],
    });
    killWithUs(child);
    const stderr: string[] = [];
    const { promise: inspectorUrl, resolve: foundInspector } = Promise.withResolvers<string>();
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      if (stderr.push(line) > 100) stderr.shift();
      const url = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(line)?.[0];
      if (url) foundInspector(url);
    });
    const ready = await firstLine(child, stderr);
    const inspector = options.inspect ? await Inspector.connect(await inspectorUrl) : undefined;
    return new ServerProcess(child, dataDir, JSON.parse(ready) as Record<string, string>, inspector);
  }

  /** For figures that the system keeps by process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has used so far, by its own account. */
  async usage(): Promise<ServerUsage> {
    const response = await fetch(`${this.#adminUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
    return parseUsage(await response.text());
  }

  /** Signs users in. */
  async signIn(userIds: readonly string[]): Promise<SignedIn[]> {
    const signedIn: SignedIn[] = [];
    for (let at = 0; at < userIds.length; at += TOKENS_A_CALL) {
      const users = userIds.slice(at, at + TOKENS_A_CALL);
      const response = await fetch(`${this.#webUrl}/dev/tokens`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ users }),
        signal: AbortSignal.timeout(30_000),
      });
      if (!response.ok) throw new Error(`/dev/tokens: ${response.status} ${await response.text()}`);
      const { tokens } = (await response.json()) as { tokens: Record<string, string> };
      for (const userId of users) signedIn.push({ userId, token: tokens[userId] ?? "" });
    }
    return signedIn;
  }

  /** Ends it, kills it if it does not end, and removes its data. */
  async stop(): Promise<void> {
    this.inspector?.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, "exit");
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
      this.#child.kill("SIGTERM");
      await exit;
      clearTimeout(timer);
    }
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

/**
 * The environment of the server that is measured: what somebody has set for a Heddle of their own must not change
 * figures.
 */
function serverEnv(dataDir: string, inspect: boolean): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("HEDDLE_") && name !== "NODE_OPTIONS",
  );
  return {
    ...Object.fromEntries(own),
    ...(inspect ? { NODE_OPTIONS: "--inspect=127.0.0.1:0" } : {}),
    HEDDLE_DATA_DIR: dataDir,
    HEDDLE_GRPC_ADDR: "127.0.0.1:0",
    HEDDLE_WEB_ADDR: "127.0.0.1:0",
    HEDDLE_ADMIN_ADDR: "127.0.0.1:0",
    HEDDLE_LOG_LEVEL: "warn",
    // Above what any scenario connects: the limit is not what is measured.
    HEDDLE_PUSH_CAPACITY: "20000",
    HEDDLE_DRAIN_MS: "0", // The clients have gone by then.
  };
}

/** No server outlives the benchmark, however that ends, SIGKILL apart. */
function killWithUs(child: ChildProcess): void {
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}

/**
 * The line that says where it listens. Rejects with the last lines of its log if it ends, or says nothing for START_MS.
 */
async function firstLine(child: ChildProcess, stderr: readonly string[]): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const [line] = (await Promise.race([once(lines, "line"), once(child, "exit")])) as [unknown];
  clearTimeout(timer);
  if (typeof line === "string") return line;
  throw new Error(`heddle did not start (${line ?? "killed"}): ${stderr.join("\n")}`);
}
