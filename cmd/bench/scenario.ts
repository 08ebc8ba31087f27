import { type CoresBusy, type CpuReading, coresBusy, machineCpuSeconds } from "./figures/machine-load.ts";
import type { Figure } from "./figures/record.ts";
import type { LoadKinds } from "./load/main.ts";
import { goLoadBinary } from "./loads/go-load-binary.ts";
import { GoLoadProcess } from "./loads/go-load-process.ts";
import { LoadProcess, type Remote } from "./loads/load-process.ts";
import type { Scale } from "./scale.ts";
import type { Inspector } from "./server/inspector.ts";
import { ServerProcess } from "./server/server-process.ts";
import { type ThreadSeconds, threadSeconds, threadsText } from "./server/thread-usage.ts";

/** One thing to measure, in a file of its own below scenarios/. */
export interface Scenario {
  /** `make bench ONLY=<name>`; its figures' `bench` begins with it. */
  readonly name: string;
  /** One sentence for the page: what is done, and what the figure counts. */
  readonly about: string;
  /** Whether what is counted waits for the disk. */
  readonly isDurable?: boolean;
  /** The longest that it may take, in ms, on a machine that is busy too. Default LIMIT_MS. */
  readonly limitMs?: number;
  readonly run: (stage: Stage) => Promise<Figure[]>;
}

/** A scenario that takes longer is given up: the slower ones need a minute on two quiet cores. */
export const LIMIT_MS = 180_000;

/**
 * Windows that are waited for something to be done. A disk may stall for seconds, and a figure divided by nothing done
 * is none.
 */
const WINDOWS = 20;

/** What was done in a window. */
export interface Measured {
  readonly perSecond: number;
  /** The server's user plus system time for one. */
  readonly cpuUs: number;
  /** Cores that the server kept busy. */
  readonly serverCores: number;
  /** Cores that neither server nor load kept busy, to two digits: what disturbed the figures. */
  readonly othersCores: number;
}

/** A load as a window sees it. Calls go to another process: two a window, which is no load by itself. */
export interface MeasuredLoad {
  /** How much has been done so far, in units of the figure. Rejects if something went wrong. */
  readonly done: () => Promise<number>;
  /** Forgets the latencies so far. */
  readonly resetLatencies: () => Promise<void>;
}

/** A server as a window sees it. */
export interface MeasuredServer {
  readonly usage: () => Promise<{ readonly cpuSeconds: number }>;
  readonly inspector?: Inspector | undefined;
  /** Process id. */
  readonly pid?: number;
}

/** Gets a profile of a window, and how much was done in it. */
export type OnProfile = (profile: unknown, done: number) => Promise<void>;

/** What a scenario stands on: starts servers and loads, and ends them whatever happens. */
export class Stage {
  readonly scale: Scale;
  /** Says how far it is, in a few words. */
  readonly progress: (text: string) => void;
  readonly #onProfile: OnProfile | undefined;
  readonly #checkout: string | undefined;
  /** How to end what was started, in the order of the starts. */
  readonly #ends: (() => Promise<void>)[] = [];
  /** Whose CPU counts as the load's. */
  readonly #loads: { cpuSeconds(): Promise<number> }[] = [];
  #isOver = false;

  constructor(options: {
    readonly scale: Scale;
    readonly progress: (text: string) => void;
    /** Wants a profile of every measured window. */
    readonly onProfile?: OnProfile;
    /** The checkout whose server is measured, if it is another one. */
    readonly checkout?: string;
  }) {
    this.scale = options.scale;
    this.progress = options.progress;
    this.#onProfile = options.onProfile;
    this.#checkout = options.checkout;
  }

  /** Starts a server of its own for this scenario, with empty data. Rejects if it does not serve within 20 s. */
  async server(options: { readonly inspect?: boolean } = {}): Promise<ServerProcess> {
    const inspect = options.inspect === true || this.#onProfile !== undefined;
    const server = await ServerProcess.start({
      inspect,
      ...(this.#checkout ? { checkout: this.#checkout } : {}),
    });
    await this.#endWith(() => server.stop());
    return server;
  }

  /**
   * Starts a load process. A process and not a thread, so that the system counts its CPU apart. Throws if the scenario
   * has been given up.
   */
  load<K extends keyof LoadKinds>(kind: K): Remote<LoadKinds[K]> {
    if (this.#isOver) throw new Error("the scenario has been given up");
    const process = new LoadProcess(kind);
    this.#ends.push(() => process.stop());
    // That one is measured as the server.
    if (kind !== "echo-server") this.#loads.push(process);
    return process.load;
  }

  /** The load of foreign clients, built if this machine has not built it yet. */
  async goLoad(): Promise<GoLoadProcess> {
    const process = new GoLoadProcess(await goLoadBinary(this.progress));
    this.#loads.push(process);
    await this.#endWith(() => process.kill());
    return process;
  }

  /** Warms up, then measures one window of time; a longer one while nothing is done at all, as when a disk stalls. */
  async window(server: MeasuredServer, load: MeasuredLoad): Promise<Measured> {
    await passed(this.scale.warmUpMs);
    return await this.measure(server, load, async () => {
      const before = await load.done();
      for (let window = 0; window < WINDOWS; window++) {
        await passed(this.scale.windowMs);
        if ((await load.done()) > before) break;
      }
    });
  }

  /** Measures while `action` runs: what the load has done and what the server has used at both ends. */
  async measure(
    server: MeasuredServer,
    load: MeasuredLoad,
    action: () => Promise<unknown>,
  ): Promise<Measured> {
    // The readings before and after are taken at the same points, so what the calls themselves cost is in every figure
    // alike.
    await load.resetLatencies();
    const threads = await this.#startProfile(server);
    const before = await this.#reading(server, load);
    await action();
    const after = await this.#reading(server, load);
    const done = after.done - before.done;
    // After the reading: to fetch a profile takes the server seconds.
    await this.#stopProfile(server, threads, done);
    const cores = coresBusy(before, after);
    this.progress(coresText(cores));
    return {
      perSecond: (done * 1_000) / (after.atMs - before.atMs),
      cpuUs: ((after.server - before.server) * 1e6) / done,
      serverCores: cores.server,
      othersCores: Number(cores.others.toFixed(2)),
    };
  }

  /** What has started while the scenario was given up is ended here. */
  async #endWith(end: () => Promise<void>): Promise<void> {
    this.#ends.push(end);
    if (!this.#isOver) return;
    await this.end();
    throw new Error("the scenario has been given up");
  }

  /** Begins a profile if one is wanted, and notes what its threads have used. */
  async #startProfile({ inspector, pid }: MeasuredServer): Promise<ThreadSeconds> {
    if (!this.#onProfile || !inspector) return new Map();
    await inspector.startProfile();
    return threadSeconds(pid ?? 0);
  }

  async #stopProfile(
    { inspector, pid }: MeasuredServer,
    threads: ThreadSeconds,
    done: number,
  ): Promise<void> {
    if (!this.#onProfile || !inspector) return;
    const text = threadsText(threads, await threadSeconds(pid ?? 0));
    await this.#onProfile(await inspector.stopProfile(), done);
    if (text) this.progress(text);
  }

  /** All figures at one moment, as near as calls to several processes can be: within a few ms of a window of 10 s. */
  async #reading(
    server: MeasuredServer,
    load: MeasuredLoad,
  ): Promise<CpuReading & { readonly done: number }> {
    const [{ cpuSeconds }, done, ...loads] = await Promise.all([
      server.usage(),
      load.done(),
      ...this.#loads.map((process) => process.cpuSeconds()),
    ]);
    const all = loads.reduce((sum, seconds) => sum + seconds, 0);
    return { atMs: performance.now(), machine: machineCpuSeconds(), server: cpuSeconds, loads: all, done };
  }

  /** Ends everything that was started, the newest first; what starts later ends at once. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }
}

/** Resolves after so many milliseconds. */
export function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function coresText({ server, loads, others }: CoresBusy): string {
  const [one, two, three] = [server, loads, others].map((cores) => cores.toFixed(2));
  return `cores busy in the window: server ${one}, load ${two}, everything else ${three}`;
}
