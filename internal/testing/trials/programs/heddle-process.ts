import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, "../../../..");

/** Where a started one serves: `http://127.0.0.1:<port>`, three of them. */
export interface Addresses {
  readonly grpcUrl: string;
  readonly webUrl: string;
  readonly adminUrl: string;
}

/** bin/heddle in a process of its own, in the development profile. */
export class HeddleProcess {
  readonly addresses: Addresses;
  readonly #child: ChildProcess;
  readonly #stderr: string[];

  private constructor(child: ChildProcess, addresses: Addresses, stderr: string[]) {
    this.#child = child;
    this.addresses = addresses;
    this.#stderr = stderr;
  }

  /**
   * Starts it on a data folder, on free ports, or on those of an earlier start. Rejects with what it printed if it
   * ends before it serves. `launcher` goes before the command, as in ["unshare", "-rm"]; `onSpawn` is called at once,
   * with what kills it.
   */
  static async start(
    dataDir: string,
    options: {
      readonly again?: Addresses;
      readonly env?: Record<string, string>;
      readonly launcher?: readonly string[];
      readonly onSpawn?: (kill: () => void) => void;
    } = {},
  ): Promise<HeddleProcess> {
    const { again, env = {}, launcher = [] } = options;
    const host = (url: string | undefined) => (url ? new URL(url).host : "127.0.0.1:0");
    const [command = "", ...args] = [...launcher, join(ROOT, "bin/heddle"), "--json"];
    const child = spawn(command, args, {
      env: {
        ...process.env,
        HEDDLE_DATA_DIR: dataDir,
        HEDDLE_GRPC_ADDR: host(again?.grpcUrl),
        HEDDLE_WEB_ADDR: host(again?.webUrl),
        HEDDLE_ADMIN_ADDR: host(again?.adminUrl),
        HEDDLE_LOG_LEVEL: "warn",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    options.onSpawn?.(() => child.kill("SIGKILL"));
    const stderr: string[] = [];
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      stderr.push(line);
      if (stderr.length > 1_000) stderr.shift();
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const first = await Promise.race([once(lines, "line"), once(child, "exit")]);
    const [line] = first as [unknown];
    if (typeof line !== "string") throw new Error(`heddle ended with ${line}: ${stderr.join("\n")}`);
    const said = JSON.parse(line) as Record<string, string>;
    const addresses = {
      grpcUrl: said.grpc_url ?? "",
      webUrl: said.web_url ?? "",
      adminUrl: said.admin_url ?? "",
    };
    return new HeddleProcess(child, addresses, stderr);
  }

  /** The newest lines of its log. */
  get stderr(): readonly string[] {
    return this.#stderr;
  }

  /** 0 where it was never started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal to the program, not to its launcher's shell: it is exec'd. Resolves to its exit code, if any. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  }
}

/** Tokens of the development profile, by user, good for `ttlS` seconds or as long as usual. Rejects where there is none. */
export async function devTokens(
  webUrl: string,
  users: readonly string[],
  ttlS?: number,
): Promise<Record<string, string>> {
  const response = await fetch(`${webUrl}/dev/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ users, ...(ttlS === undefined ? {} : { ttl_s: ttlS }) }),
  });
  if (!response.ok) throw new Error(`/dev/tokens: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { tokens: Record<string, string> }).tokens;
}
