import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Figure } from "../figures/record.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { scratchFolder } from "../server/scratch-folder.ts";

const PROGRAM = join(import.meta.dirname, "../links/main.ts");

/** The longest that a process may take beyond its windows, in ms. */
const START_MS = 60_000;

/** What answers, and with how many sends under way. */
const LOADS = [
  { work: "nothing", inFlight: 1 },
  { work: "nothing", inFlight: 32 },
  { work: "nothing", inFlight: 256 },
  { work: "append", inFlight: 32 },
  { work: "append", inFlight: 256 },
] as const;

// `direct` first: the others are set beside it.
const WAYS = ["direct", "memory", "grpc"] as const;
type Way = (typeof WAYS)[number];

/** A line of the process's output: what one load counted. */
interface Counted {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the mesh adds to a request, beside the same port bound directly as in the all-in-one program. */
export const links: Scenario = {
  name: "links",
  about:
    "Sends to the port of the message service, bound directly as in the all-in-one program, over a link in memory, and " +
    "over a link on gRPC; so many under way, each next one when the one before is accepted. What answers accepts at once, " +
    "or is the message service on embedded stores, which syncs each append to the disk. Both ends are in one process, " +
    "so CPU is that of both; “times direct” sets it beside the same load bound directly, in the same run.",
  run: async (stage) => {
    const counted = new Map<Way, readonly Counted[]>();
    for (const way of WAYS) {
      stage.progress(way);
      counted.set(way, await count(stage, way));
    }
    return LOADS.flatMap((load, at) => WAYS.map((way) => figureOf(load, way, at, counted)));
  },
};

/** One load over one way, beside the same load bound directly in the same run: machines differ by the hour. */
function figureOf(
  { work, inFlight }: (typeof LOADS)[number],
  way: Way,
  at: number,
  counted: ReadonlyMap<Way, readonly Counted[]>,
): Figure {
  const [own, direct] = [counted.get(way)?.[at], counted.get("direct")?.[at]];
  if (!own || !direct) throw new Error(`nothing was counted of ${work}, ${inFlight} under way, ${way}`);
  return {
    bench: `links.${way}`,
    unit: "requests/s",
    value: own.perSecond,
    p50_ms: own.p50Ms,
    p99_ms: own.p99Ms,
    server_cpu_us_per_delivery: own.cpuUs,
    params: {
      answers: work,
      in_flight: inFlight,
      times_direct: Number((own.cpuUs / direct.cpuUs).toPrecision(3)),
    },
  };
}

/** A window of each load, in one process. */
async function count({ scale }: Stage, way: Way): Promise<Counted[]> {
  const folder = await scratchFolder();
  // A third each: fifteen windows stand in this scenario, and nothing has to be loaded from a disk first.
  const [warmUpMs, windowMs] = [scale.warmUpMs / 3, scale.windowMs / 3];
  const loads = LOADS.map(({ work, inFlight }) => `${work}:${inFlight}`);
  const args = [PROGRAM, way, folder, String(warmUpMs), String(windowMs), ...loads];
  const timeout = Math.ceil(START_MS + LOADS.length * (warmUpMs + windowMs));
  try {
    const lines = await new Promise<string>((resolve, reject) => {
      const done = (error: Error | null, stdout: string, stderr: string) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout);
      execFile(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], { timeout }, done);
    });
    return lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Counted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
