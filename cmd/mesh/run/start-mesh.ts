import { writeFile } from "node:fs/promises";
import { type Clock, sleep, systemClock } from "../../../internal/base/clock.ts";
import { makeFolder } from "../../../internal/base/make-folder.ts";
import { keepCertificates } from "../../../internal/engines/certificates/kept-certificates.ts";
import { keepKeys, type MeshKeys } from "../../../internal/engines/certificates/kept-keys.ts";
import { writePrivateFile } from "../../../internal/engines/certificates/private-file.ts";
import { EngineError, type Progress, type RunningEngine } from "../../../internal/engines/engine.ts";
import { type Counts, countsOf, type Store } from "../plan/counts.ts";
import { meshFolder } from "../plan/mesh-folder.ts";
import { type Ports, portsFor } from "../plan/ports.ts";
import { listenerNames, type ProgramPlan, programNames, programPlans } from "../plan/program-plan.ts";
import {
  ENGINE_PORTS,
  type EngineGround,
  type MeshEngines,
  type RunningEngines,
  realEngines,
} from "./engines.ts";
import { Mesh } from "./mesh.ts";
import { heddleProgram, type ProgramCommand, Programs } from "./programs.ts";
import { type OnStep, runStep } from "./steps.ts";

export interface MeshOptions {
  /** Everything of the mesh is there. A second start on it finds what the first one wrote. */
  readonly folder: string;
  readonly store: Store;
  readonly counts?: Partial<Counts>;
  /** What clients dial, on 127.0.0.1: 8443 by default, 0 for a free one. */
  readonly edgePort?: number;
  /** Ports of the last time, by listener. */
  readonly keptPorts?: Ports;
  readonly onStep?: OnStep;
  /** Gets a line whenever a process ends or serves again. */
  readonly onLog?: (line: string) => void;
  /** Whether what ended without being asked is started again (default true). Tests of faults do it themselves. */
  readonly restarts?: boolean;
  /** Settings of a program over those of the plan. */
  readonly env?: (plan: ProgramPlan) => Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Aborted: the start is given up. */
  readonly stopped?: AbortSignal;
  /** Stand-ins, for tests of the mesh itself. */
  readonly engines?: MeshEngines;
  readonly command?: ProgramCommand;
}

/** What clients dial if nobody says otherwise. */
export const EDGE_PORT = 8443;

/** How long a start that failed waits for what is on its way: an engine that starts, not one that is installed. */
const UNDO_MS = 5_000;

/**
 * Starts all of a mesh and resolves when clients are served. What does not need one another starts side by side. Rejects
 * with EngineError, or ToolError, that says what to do; nothing runs then.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const start = new MeshStart(options, await prepare(options));
  try {
    return await Promise.race([start.run(), rejectedBy(options.stopped)]);
  } catch (error) {
    await start.undo();
    throw error;
  }
}

function rejectedBy(stopped: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    stopped?.addEventListener("abort", () => reject(new EngineError("the start was given up")), {
      once: true,
    });
  });
}

/** What there is before anything runs. */
interface Ground extends EngineGround {
  readonly keys: MeshKeys;
}

async function prepare(options: MeshOptions): Promise<Ground> {
  const { store, edgePort = EDGE_PORT, keptPorts = {}, clock = systemClock } = options;
  const paths = meshFolder(options.folder);
  // Postgres's user passes through it on the way to its own folder; the keys are in a closed one.
  await makeFolder(paths.folder, process.getuid?.() === 0 ? 0o711 : 0o700);
  await makeFolder(paths.logs);
  const counts = countsOf(store, options.counts);
  const names = [...ENGINE_PORTS, ...listenerNames(counts)];
  const ports = await portsFor(names, keptPorts, { edge: edgePort });
  const certificates = await keepCertificates(paths.folder, clock.nowMs());
  return { paths, counts, ports, certificates, keys: await keepKeys(paths.folder) };
}

class MeshStart {
  readonly #options: MeshOptions;
  readonly #ground: Ground;
  readonly #onStep: OnStep;
  readonly #engines: MeshEngines;
  readonly #programs: Programs;
  readonly #started: RunningEngine[] = [];
  readonly #pending: Promise<unknown>[] = [];
  #isUndone = false;

  constructor(options: MeshOptions, ground: Ground) {
    this.#options = options;
    this.#ground = ground;
    this.#onStep = options.onStep ?? (() => {});
    this.#engines = options.engines ?? realEngines;
    this.#programs = new Programs(ground.paths.logs, options.command ?? heddleProgram);
  }

  async run(): Promise<Mesh> {
    const { etcd: members } = this.#ground.counts;
    const etcd = this.#engine("etcd", members === 1 ? "1 member" : `${members} members`, this.#engines.etcd);
    const postgres = this.#engine("Postgres", "1 server", this.#engines.postgres);
    const hbase =
      this.#options.store === "hbase" ? this.#engine("HBase", "on HDFS", this.#engines.hbase) : undefined;
    const rows = Promise.all([etcd, postgres, this.#pend(Promise.resolve(hbase))]);
    const programs = this.#pend(rows.then((engines) => this.#startPrograms(...engines)));
    // Envoy asks the control plane, which is a program, until it answers.
    const envoy = this.#pend(rows.then(() => this.#engine("Envoy", "the edge", this.#engines.envoy)));
    await programs;
    return this.#mesh({
      etcd: await etcd,
      postgres: await postgres,
      hbase: await hbase,
      envoy: await envoy,
    });
  }

  /** Ends what has started, and what is on its way as soon as it has; waits for that no longer than a moment. */
  async undo(): Promise<void> {
    this.#isUndone = true;
    await this.#programs.stop();
    await Promise.allSettled(this.#started.map((engine) => engine.stop()));
    const { clock = systemClock } = this.#options;
    await Promise.race([Promise.allSettled(this.#pending), sleep(clock, UNDO_MS)]);
  }

  #pend<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {}); // Those that wait for it hear of it; others may not wait any more.
    this.#pending.push(promise);
    return promise;
  }

  #engine<E extends RunningEngine>(
    step: string,
    what: string,
    start: (ground: EngineGround, progress: Progress) => Promise<E>,
  ): Promise<E> {
    const run = async (progress: Progress) => {
      const engine = await start(this.#ground, progress);
      this.#started.push(engine);
      if (this.#isUndone) await engine.stop();
      return engine;
    };
    return this.#pend(runStep(this.#onStep, step, "starting", run, () => what));
  }

  async #startPrograms(
    etcd: RunningEngines["etcd"],
    postgres: RunningEngines["postgres"],
    hbase: RunningEngines["hbase"],
  ): Promise<void> {
    const { paths, counts, ports, certificates, keys } = this.#ground;
    await writePrivateFile(paths.databaseUrl, postgres.url);
    const plans = programPlans({
      ...{ counts, ports, keys },
      store: this.#options.store,
      certificatesOf: certificates.of,
      registryUrl: etcd.url,
      databaseUrlFile: paths.databaseUrl,
      hbaseQuorum: hbase?.quorum,
      edgeUrl: this.#edgeUrl,
    });
    const count = plans.length;
    let ready = 0;
    const startAll = async (progress: Progress) => {
      const starting = plans.map(async (plan) => {
        await this.#programs.start({ ...plan, env: { ...plan.env, ...this.#options.env?.(plan) } });
        ready += 1;
        progress(`${ready} of ${count} are ready`);
      });
      for (const one of starting) void this.#pend(one);
      await Promise.all(starting);
    };
    await runStep(this.#onStep, "programs", `starting ${count}`, startAll, () => listed(counts));
  }

  get #edgeUrl(): string {
    return `https://127.0.0.1:${this.#ground.ports.edge}`;
  }

  async #mesh(engines: RunningEngines): Promise<Mesh> {
    const { store, clock = systemClock, restarts = true, onLog = () => {} } = this.#options;
    const edgeUrl = this.#edgeUrl;
    await writeFile(this.#ground.paths.env, shellEnv(edgeUrl, this.#ground.certificates.ca), { mode: 0o600 });
    return new Mesh({
      ...this.#ground,
      ...{ store, edgeUrl, engines, clock, restarts, onLog },
      programs: this.#programs,
    });
  }
}

/** "3 push, 2 message, …" */
function listed(counts: Counts): string {
  const services = Map.groupBy(programNames(counts), ({ service }) => service);
  return [...services].map(([service, all]) => `${all.length} ${service}`).join(", ");
}

/** A shell reads it, and bin/chat then chats through the mesh. The last two say which authority Node and its gRPC trust. */
function shellEnv(edgeUrl: string, ca: string): string {
  const quoted = `'${ca.replaceAll("'", "'\\''")}'`;
  return (
    "# Read it into a shell, and bin/chat chats through the mesh.\n" +
    `export HEDDLE_GRPC_URL=${edgeUrl} HEDDLE_WEB_URL=${edgeUrl}\n` +
    `export NODE_EXTRA_CA_CERTS=${quoted} GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=${quoted}\n`
  );
}
