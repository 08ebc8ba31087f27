import type { Inspector } from "./inspector.ts";
import type { LoadKinds } from "./load/main.ts";
import { LoadProcess, type Remote } from "./load-process.ts";
import type { Figure } from "./record.ts";
import { ServerProcess } from "./server-process.ts";
import { cpuUsPer } from "./server-usage.ts";

/** One thing to measure, in a file of its own below scenarios/. */
export interface Scenario {
  /** `make bench ONLY=<name>`; its figures' `bench` begins with it. */
  readonly name: string;
  /** One sentence for the page: what is done, and what the figure counts. */
  readonly about: string;
  readonly run: (stage: Stage) => Promise<Figure[]>;
}

/** How large and how long. */
export interface Scale {
  readonly warmUpMs: number;
  /** The measured window of each figure. */
  readonly windowMs: number;
  readonly idleStreams: number;
  /** Messages a second of scenario latency. */
  readonly rates: readonly number[];
}

/** The figures of the page. */
export const FULL: Scale = {
  warmUpMs: 3_000,
  windowMs: 10_000,
  idleStreams: 10_000,
  rates: [300, 1_000, 3_000],
};

/** Whether it works, in a second or two each; the figures mean little. */
export const QUICK: Scale = { warmUpMs: 100, windowMs: 500, idleStreams: 200, rates: [300] };

/** What was done in a window. */
export interface Measured {
  readonly perSecond: number;
  /** The server's user plus system time for one. */
  readonly cpuUs: number;
}

/** A load as a window sees it. */
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
}

/** Gets a profile of a window, and how much was done in it. */
export type OnProfile = (profile: unknown, done: number) => Promise<void>;

/** What a scenario stands on: starts servers and loads, and ends them whatever happens. */
export class Stage {
  readonly scale: Scale;
  /** Says how far it is, in a few words. */
  readonly progress: (text: string) => void;
  readonly #onProfile: OnProfile | undefined;
  readonly #ends: (() => Promise<void>)[] = [];

  constructor(options: {
    readonly scale: Scale;
    readonly progress: (text: string) => void;
    /** Wants a profile of every measured window. */
    readonly onProfile?: OnProfile;
  }) {
    this.scale = options.scale;
    this.progress = options.progress;
    this.#onProfile = options.onProfile;
  }

  async server(options: { readonly inspect?: boolean } = {}): Promise<ServerProcess> {
    const inspect = options.inspect === true || this.#onProfile !== undefined;
    const server = await ServerProcess.start({ inspect });
    this.#ends.push(() => server.stop());
    return server;
  }

  load<K extends keyof LoadKinds>(kind: K): Remote<LoadKinds[K]> {
    const process = new LoadProcess(kind);
    this.#ends.push(() => process.stop());
    return process.load;
  }

  /** Warms up, then measures one window: what the load has done and what the server has used at both ends. */
  async window(server: MeasuredServer, load: MeasuredLoad): Promise<Measured> {
    await passed(this.scale.warmUpMs);
    await load.resetLatencies();
    if (this.#onProfile) await server.inspector?.startProfile();
    const before = await reading(server, load);
    await passed(this.scale.windowMs);
    const after = await reading(server, load);
    const done = after.done - before.done;
    const profile = this.#onProfile && (await server.inspector?.stopProfile());
    if (profile) await this.#onProfile?.(profile, done);
    const perSecond = (done * 1_000) / (after.atMs - before.atMs);
    return { perSecond, cpuUs: cpuUsPer(done, before, after) };
  }

  /** Ends everything that was started, the newest first. */
  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }
}

/** Resolves after so many milliseconds. */
export function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function reading(server: MeasuredServer, load: MeasuredLoad) {
  const [{ cpuSeconds }, done] = await Promise.all([server.usage(), load.done()]);
  return { cpuSeconds, done, atMs: performance.now() };
}
