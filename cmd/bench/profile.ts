import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** As in a .cpuprofile file: a tree of call frames, and which of them each sample hit. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

/** Time spent in a function or a layer itself, not in what it calls. */
export interface SelfTime {
  readonly name: string;
  readonly layer: string;
  readonly us: number;
}

type Place = Pick<SelfTime, "name" | "layer">;

/** Not work: the main thread waits. */
const IDLE = "(idle)";

/** How the layers of this repository's own code begin. */
const OWN = "heddle ";

/** Self time by function, most first; the idle time apart. */
export function selfTimes(profile: Profile): { readonly busyUs: number; readonly functions: SelfTime[] } {
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const functions = summed(profile, (id) => places.get(id));
  return { busyUs: functions.reduce((sum, { us }) => sum + us, 0), functions };
}

/**
 * The same time by the function of Heddle's that asked for it: its own, and what it calls in packages and in Node. So
 * a hash or an encoding counts for its caller. What no function of Heddle's asked for counts for its layer.
 */
export function byAsker(profile: Profile): SelfTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const askers = new Map<number, Place | undefined>();
  for (const { id, callFrame } of profile.nodes) {
    const place = placeOf(callFrame);
    let asker = place && { name: place.layer, layer: place.layer };
    for (let at: number | undefined = id; at !== undefined && asker; at = parents.get(at)) {
      const found = placeOf((nodes.get(at) as Profile["nodes"][number]).callFrame);
      if (!found?.layer.startsWith(OWN)) continue;
      asker = found;
      break;
    }
    askers.set(id, asker);
  }
  return summed(profile, (id) => askers.get(id));
}

/** The same by layer. */
export function byLayer(functions: readonly SelfTime[]): SelfTime[] {
  const layers = new Map<string, number>();
  for (const { layer, us } of functions) layers.set(layer, (layers.get(layer) ?? 0) + us);
  return [...layers].map(([layer, us]) => ({ name: layer, layer, us })).sort((a, b) => b.us - a.us);
}

/** The lists as text: the share of the busy time, and microseconds per delivered message if it is known. */
export function profileText(
  profile: Profile,
  options: { readonly top: number; readonly units?: number },
): string {
  const { busyUs, functions } = selfTimes(profile);
  const row = ({ name, layer, us }: SelfTime) => {
    const share = `${((100 * us) / busyUs).toFixed(1)} %`.padStart(8);
    const each = options.units ? `${(us / options.units).toFixed(2)} µs`.padStart(10) : "";
    return `${share}${each}  ${name === layer ? name : `${name}  [${layer}]`}`;
  };
  return [
    `main thread busy ${(busyUs / 1e6).toFixed(2)} s by the clock, waiting for a core included;`,
    `self time of the first ${options.top} functions:`,
    ...functions.slice(0, options.top).map(row),
    `by the function of Heddle's that asked for it, the first ${options.top}:`,
    ...byAsker(profile).slice(0, options.top).map(row),
    "by layer:",
    ...byLayer(functions).map(row),
    "",
  ].join("\n");
}

/** The time of the samples by place, most first. */
function summed(profile: Profile, placeOfNode: (id: number) => Place | undefined): SelfTime[] {
  const found = new Map<string, { name: string; layer: string; us: number }>();
  for (const [at, id] of profile.samples.entries()) {
    const place = placeOfNode(id);
    if (!place) continue;
    const entry = found.get(place.name) ?? { ...place, us: 0 };
    // V8 gives a negative delta where two samples come out of order.
    entry.us += Math.max(0, profile.timeDeltas[at] ?? 0);
    found.set(place.name, entry);
  }
  return [...found.values()].sort((a, b) => b.us - a.us);
}

/** Undefined for the time in which nothing is done. */
function placeOf(callFrame: Profile["nodes"][number]["callFrame"]): Place | undefined {
  const { functionName, url, lineNumber } = callFrame;
  if (functionName === IDLE) return undefined;
  const file = shortened(url);
  const name = functionName || "(anonymous)";
  // `(garbage collector)` and `(program)` are no functions and stand in no file.
  const isMeta = url === "" && name.startsWith("(");
  return { name: isMeta ? name : `${name} ${file}:${lineNumber + 1}`, layer: layerOf(url, name) };
}

function shortened(url: string): string {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  return path.replace(/^.*\/node_modules\//, "").replace(/^.*\/(internal|client|cmd)\//, "$1/") || "native";
}

/** Whose code it is, in the words of ARCHITECTURE.md. */
function layerOf(url: string, name: string): string {
  if (url === "") return name === "(garbage collector)" ? "garbage collection" : "native code";
  const found = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (found?.[1]) return found[1];
  if (url.startsWith("node:")) return /http2/.test(url) ? "node http2" : "node (streams, net, timers)";
  const own = /\/internal\/([^/]+)\//.exec(url);
  return own?.[1] ? `${OWN}${own[1]}` : "other";
}

// Also by itself, on a profile that was kept: node cmd/bench/profile.ts <file>.cpuprofile
if (import.meta.main) {
  const [, , path = ""] = process.argv;
  const profile = JSON.parse(await readFile(path, "utf8")) as Profile;
  process.stdout.write(profileText(profile, { top: 25 }));
}
