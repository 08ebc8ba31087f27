import type { Server } from "node:net";
import { sleep, systemClock } from "../../../internal/base/clock.ts";
import { makeFolder } from "../../../internal/base/make-folder.ts";
import { EngineError } from "../../../internal/engines/engine.ts";
import { ToolError } from "../../../internal/engines/install/run-tool.ts";
import type { Store } from "../plan/counts.ts";
import { type MeshFolder, meshFolder } from "../plan/mesh-folder.ts";
import type { Mesh } from "../run/mesh.ts";
import { type MeshOptions, startMesh } from "../run/start-mesh.ts";
import type { StepLine } from "../run/steps.ts";
import { serveControl } from "./control-server.ts";
import { endLeftOvers } from "./left-overs.ts";
import { takeLock } from "./lock.ts";
import { type Answer, type Asked, HELD, type ReadyMesh, type SupervisorStatus } from "./messages.ts";
import { identityOf, type ProcessIdentity } from "./process-identity.ts";
import { type MeshState, readState, writeState } from "./state-file.ts";

export interface SuperviseOptions extends Omit<MeshOptions, "store" | "onStep" | "onLog" | "stopped"> {
  /** Undefined: as the folder has it, and hbase for a new one. */
  readonly store: Store | undefined;
  /** Gets lines for the supervisor's own log. */
  readonly onLog: (line: string) => void;
}

/**
 * Supervises a mesh until it is told to stop, by a command or a signal: what stays in the background after `make mesh`.
 * Resolves to the exit code. Followers hear why it did not start.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const paths = meshFolder(options.folder);
  await makeFolder(paths.folder, process.getuid?.() === 0 ? 0o711 : 0o700);
  const lock = await takeLock(paths.lock);
  if ("heldBy" in lock) {
    options.onLog(`another supervisor has ${paths.folder}: process ${lock.heldBy.pid}`);
    return HELD;
  }
  const supervisor = new Supervisor(options, paths);
  try {
    return await supervisor.run();
  } finally {
    await lock.release();
  }
}

/** How long a supervisor whose start failed waits for somebody to tell. */
const FIRST_ASK_MS = 2_000;

class Supervisor {
  readonly #options: SuperviseOptions;
  readonly #paths: MeshFolder;
  readonly #steps: StepLine[] = [];
  readonly #followers = new Set<(answer: Answer) => void>();
  readonly #stopAsked = new AbortController();
  readonly #isAsked = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<Answer>();
  #mesh: Mesh | undefined;
  #ready: ReadyMesh | undefined;
  #writing = Promise.resolve();

  constructor(options: SuperviseOptions, paths: MeshFolder) {
    this.#options = options;
    this.#paths = paths;
  }

  async run(): Promise<number> {
    const server = await serveControl(this.#paths.socket, (asked, say) => this.#answer(asked, say));
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.#stopAsked.abort());
    try {
      this.#mesh = await this.#start();
      await this.#serve(this.#mesh);
      const ended = await this.#mesh.stop((step) => this.#tellStep(step));
      this.#keepState();
      await this.#writing;
      this.#over.resolve({ stopped: ended });
      return 0;
    } catch (error) {
      this.#options.onLog(sentenceOf(error));
      // Who started this process may not have asked yet.
      await Promise.race([this.#isAsked.promise, sleep(systemClock, FIRST_ASK_MS)]);
      this.#over.resolve(this.#stopAsked.signal.aborted ? { stopped: [] } : { failed: sentenceOf(error) });
      return 1;
    } finally {
      await closed(server);
    }
  }

  async #start(): Promise<Mesh> {
    const state = await readState(this.#paths.state);
    const { store = state?.store ?? "hbase" } = this.#options;
    if (state && state.store !== store) throw new EngineError(otherStore(this.#paths.folder, state.store));
    const left = await endLeftOvers(state?.processes ?? {});
    if (left.length > 0) this.#tellStep({ step: "left over", text: `ended ${left.join(", ")}`, tookMs: 0 });
    return await startMesh({
      ...this.#options,
      store,
      keptPorts: state?.ports ?? {},
      onStep: (step) => this.#tellStep(step),
      onLog: (line) => {
        this.#options.onLog(line);
        this.#keepState();
      },
      stopped: this.#stopAsked.signal,
    });
  }

  /** Until somebody asks to stop. */
  async #serve({ store, edgeUrl, certificates, paths }: Mesh): Promise<void> {
    this.#keepState();
    await this.#writing;
    this.#ready = { store, edgeUrl, ca: certificates.ca, env: paths.env, sinceMs: Date.now() };
    this.#tell({ ready: this.#ready });
    this.#options.onLog("ready");
    const { signal } = this.#stopAsked;
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    const alive = setInterval(() => {}, 1 << 30); // Children and the clock's timers let a process end.
    await promise;
    clearInterval(alive);
  }

  async #answer(asked: Asked["do"], say: (answer: Answer) => void): Promise<void> {
    this.#isAsked.resolve();
    if (asked === "status") return say({ status: this.#status() });
    if (asked === "stop") this.#stopAsked.abort();
    else if (this.#ready && !this.#stopAsked.signal.aborted) return say({ ready: this.#ready });
    else for (const step of this.#steps) say({ step });
    this.#followers.add(say);
    say(await this.#over.promise);
  }

  #tell(answer: Answer): void {
    for (const say of this.#followers) say(answer);
  }

  #tellStep(step: StepLine): void {
    if (!this.#ready) this.#steps.push(step);
    this.#tell({ step });
  }

  #status(): SupervisorStatus {
    const mesh = this.#mesh;
    return {
      pid: process.pid,
      ready: this.#ready,
      ports: mesh?.ports ?? {},
      processes: (mesh?.processes() ?? []).map(({ name, pid, isRunning, log }) => {
        const restarted = mesh?.restarted(name);
        return { name, pid, isRunning, log, ...(restarted && { restarted }) };
      }),
    };
  }

  /** One after another, each with what is true when its turn comes. */
  #keepState(): void {
    this.#writing = this.#writing
      .then(() => (this.#mesh ? writeState(this.#paths.state, stateOf(this.#mesh)) : undefined))
      .catch((error: Error) =>
        this.#options.onLog(`${this.#paths.state} cannot be written: ${error.message}`),
      );
  }
}

function stateOf(mesh: Mesh): MeshState {
  const { store, counts, ports } = mesh;
  const identities = mesh.processes().map(({ name, pid }) => [name, identityOf(pid)] as const);
  return {
    format: 1,
    ...{ store, counts, ports },
    processes: Object.fromEntries(
      identities.filter((one): one is [string, ProcessIdentity] => one[1] !== undefined),
    ),
  };
}

function sentenceOf(error: unknown): string {
  if (error instanceof EngineError || error instanceof ToolError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function otherStore(folder: string, store: Store): string {
  return (
    `${folder} is a mesh with STORE=${store}, and its messages are there: run make mesh STORE=${store}, ` +
    `or set HEDDLE_MESH_DIR to another folder`
  );
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
