import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineGround, MeshEngines } from "../../../cmd/mesh/run/engines.ts";
import type { ProgramCommand } from "../../../cmd/mesh/run/programs.ts";
import { Child } from "../../engines/child.ts";
import type { ProcessEnd, RunningEngine } from "../../engines/engine.ts";

/** Serves /readyz at once and /metrics never, and ends when asked; or does what STAND_IN says instead. */
const PROGRAM = `
const address = process.env.HEDDLE_ADMIN_ADDR;
if (process.env.STAND_IN === "fails") { console.log("no such table"); process.exit(3); }
const server = require("node:http").createServer((request, response) => response.end("ready"));
server.listen(Number(address.split(":")[1]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

/** A program that is ready at once: what supervises does not care what it supervises. */
export const standInProgram: ProgramCommand = () => ["-e", PROGRAM];

/** An engine of one process that only waits. */
class StandInEngine implements RunningEngine {
  readonly processes = new Map<string, Child>();
  readonly url = "http://127.0.0.1:1";
  readonly quorum = "127.0.0.1:2";
  readonly data = "";
  readonly tcp = { host: "127.0.0.1", port: 1 };
  readonly socket = "";
  readonly superuser = "";
  readonly #name: string;
  readonly #logs: string;
  readonly #listeners: ((end: ProcessEnd) => void)[] = [];

  constructor(name: string, logs: string) {
    this.#name = name;
    this.#logs = logs;
  }

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listeners.push(listener);
  }

  async restart(): Promise<void> {
    await mkdir(this.#logs, { recursive: true });
    const log = join(this.#logs, `${this.#name}.log`);
    const child = await Child.start({ name: this.#name, command: "sleep", args: ["1000"], log });
    this.processes.set(this.#name, child);
    child.ended.then((end) => {
      if (!end.wasAsked) for (const listener of this.#listeners) listener(end);
    });
  }

  async stop(): Promise<void> {
    await this.processes.get(this.#name)?.stop(5_000);
  }

  process(name: string): Child {
    const found = this.processes.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found;
  }

  async leader(): Promise<string> {
    return this.#name;
  }

  async ask(): Promise<string> {
    return "";
  }
}

/** Engines that start at once and keep nothing. */
export const standInEngines: MeshEngines = {
  etcd: (ground) => started("etcd-1", ground),
  postgres: (ground) => started("postgres", ground),
  hbase: (ground) => started("master", ground),
  envoy: (ground) => started("envoy", ground),
};

async function started(name: string, { paths }: EngineGround): Promise<StandInEngine> {
  const engine = new StandInEngine(name, join(paths.folder, "engines"));
  await engine.restart();
  return engine;
}
