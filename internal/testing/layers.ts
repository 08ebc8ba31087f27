import { posix } from "node:path";

/** A source file: its path from the root of the repository, with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const maxLines = 400;

const services = new Set(
  ["message", "channel", "thread", "presence", "push", "notifier", "gateway", "controlplane"], // one folder each
);
const clientPrograms = new Set(["chat", "web", "bench"]);
/**
 * Rooms of client programs that are programs of their own, and stand where a server's main does: started as processes and
 * imported by nobody, so that what measures servers has none of their code in it.
 */
const ownPrograms: readonly string[] = ["cmd/bench/links"];

/** What a layer may import besides itself. A layer that is missing here, `free`, may import anything. */
const arrows: Record<string, readonly string[]> = {
  gen: [],
  base: ["gen"],
  edge: [],
  engines: ["base"],
  wire: ["gen", "base"],
  stream: ["gen", "base", "wire"],
  capacity: ["gen", "base", "wire"], // A plan on paper: it asks nobody.
  client: ["gen", "base", "wire", "stream"],
  rpc: ["gen", "base", "wire", "stream"],
  registry: ["gen", "base", "wire", "stream", "rpc"],
  store: ["gen", "base", "wire", "stream"],
  domain: ["gen", "base", "wire", "stream"],
  service: ["gen", "base", "wire", "stream", "rpc", "registry", "store"],
  peers: ["gen", "base", "wire", "stream", "rpc", "registry"], // And the ports.ts of services.
  app: ["gen", "base", "wire", "stream", "rpc", "registry", "store", "service", "peers"],
  program: ["gen", "base", "wire", "stream", "client"],
  main: ["gen", "base", "wire", "stream", "rpc", "registry", "store", "service", "peers", "app", "capacity"],
};

/** Programs that start real servers or use tools; no other may, a server of Heddle's own least of all. The edge is one. */
const startsEngines = new Set(["cmd/mesh", "cmd/stubs", "cmd/bench"]);

/**
 * The rooms of a folder, where they are put in order: a room may import the rooms named before it, and of the files
 * beside the rooms those that lead to no later room, such as ports and limits. Files beside the rooms may import any.
 */
const rooms: Record<string, readonly string[]> = {
  client: [
    "model",
    "transport",
    "storage",
    "stream",
    "log",
    "outbox",
    "presence",
    "profiles",
    "grpc",
    "web",
    "api",
  ],
  "cmd/bench": ["links", "load", "server", "loads", "figures", "scenarios"],
  "cmd/chat": ["text", "device", "lines", "commands", "live"],
  "cmd/mesh": ["plan", "run", "control", "screen"],
  "cmd/web": ["build", "memory", "chats", "parts", "people", "settings", "conversation", "screens"],
  "internal/engines": ["certificates", "install", "etcd", "hbase", "envoy", "postgres"],
  "internal/app": ["settings", "folder", "care", "stores", "operators", "page", "assembly", "mesh"],
  "internal/rpc": ["calls", "credentials", "tls", "grpc", "links", "web"],
  "internal/message": ["cells", "group", "log", "receipts", "offline"],
  "internal/push": ["session", "topics", "presence", "doors"],
  "internal/testing/fakes": ["time", "stores", "streams", "client", "neighbours", "message"],
  "internal/testing/worlds": [
    "history",
    "append",
    "group",
    "touch",
    "push",
    "hand-off",
    "presence",
    "storm",
    "client",
  ],
  "internal/testing/trials": ["programs", "load", "kill", "disk", "damage", "kept-data", "clients"],
};

/** Packages that only some folders may import; `[]` is tests alone. A name covers its subpaths, `@grpc/` its scope. */
const walls: readonly (readonly [name: string, folders: readonly string[]])[] = [
  ["@grpc/", ["internal/rpc/", "client/grpc/", "cmd/bench/"]],
  ["grpc-health-check", ["internal/rpc/"]],
  ["@connectrpc/connect-node", ["internal/rpc/"]],
  ["@connectrpc/connect-web", ["client/web/"]],
  ["etcd3", ["internal/registry/etcd/"]],
  ["hbase-rpc-client", ["internal/store/hbase/"]],
  ["classic-level", ["internal/store/level/"]],
  ["node:sqlite", ["internal/store/"]],
  ["kysely", ["internal/store/"]],
  ["pg", ["internal/store/postgres/", "internal/testing/postgres/"]],
  ["pg-connection-string", ["internal/store/postgres/"]],
  ["@peculiar/x509", ["internal/engines/certificates/"]],
  ["mocha", []],
  ["fast-check", []],
  ["playwright-core", []],
];

/** Packages a domain file may import: it builds messages and hashes bytes, and does nothing to the world. */
const domainPackages = ["@bufbuild/protobuf", "node:crypto"];

/** The one service that knows what stands on clients' streams. */
const PUSH = "internal/push";
const FRAMES = "internal/gen/heddle/push/";

interface Place {
  readonly layer: string;
  /** The folder that is one unit: two services are the same layer and different homes. */
  readonly home: string;
}

interface Import {
  readonly line: number;
  readonly specifier: string;
}

/**
 * Checks the shape that ARCHITECTURE.md describes: layers, walls around packages, cycles, lengths, names.
 * Returns one sentence per breach, `file:line: what`, and an empty list when the shape holds.
 */
export function checkLayers(files: readonly SourceFile[]): string[] {
  const own = files.filter((file) => !isGenerated(file.path));
  const known = new Set(files.map((file) => file.path));
  const graph = new Map<string, string[]>();
  const breaches: string[] = [];
  for (const file of own) {
    breaches.push(...checkName(file.path), ...checkLength(file));
    const place = placeOf(file.path);
    if (!place) {
      breaches.push(`${file.path}:1: belongs to no layer; name its folder in internal/testing/layers.ts`);
      continue;
    }
    const targets: string[] = [];
    for (const found of importsOf(file.text)) {
      const at = `${file.path}:${found.line}`;
      if (!found.specifier.startsWith(".")) {
        breaches.push(...checkPackage(at, file.path, place, found.specifier));
        continue;
      }
      const target = resolve(file.path, found.specifier, known);
      if (known.has(target)) targets.push(target);
      breaches.push(...checkArrow(at, place, target));
    }
    graph.set(file.path, targets);
  }
  return [...breaches, ...checkRooms(graph), ...findCycles(graph)];
}

/** Arrows between the rooms of one folder only go forward, directly or by way of what lies beside the rooms. */
function checkRooms(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const breaches: string[] = [];
  for (const [home, names] of Object.entries(rooms)) {
    const rankOf = (path: string) => (path.startsWith(`${home}/`) ? names.indexOf(roomIn(home, path)) : -1);
    for (const [path, targets] of graph) {
      if (!path.startsWith(`${home}/`) || /\.test\.tsx?$/.test(path)) continue;
      const room = roomIn(home, path);
      if (room === "") continue;
      if (!names.includes(room)) {
        breaches.push(
          `${path}:1: the room "${room}" has no place in the order of ${home}; give it one in layers.ts`,
        );
        continue;
      }
      for (const target of targets) {
        if (!target.startsWith(`${home}/`)) continue;
        const later = roomsReached(graph, home, target).find((name) => names.indexOf(name) > rankOf(path));
        if (later === undefined) continue;
        const how = roomIn(home, target) === "" ? `, by way of ${target}` : ` (${target})`;
        breaches.push(`${path}:1: ${home}/${room} → ${home}/${later}${how}: only ${names.join(" ← ")}`);
      }
    }
  }
  return breaches;
}

/** The room of a path; "" for what lies beside the rooms. */
function roomIn(home: string, path: string): string {
  const [room = "", ...rest] = path.slice(home.length + 1).split("/");
  return rest.length > 0 ? room : "";
}

/** The room of a file; of one that lies beside the rooms those that it reaches without passing through another room. */
function roomsReached(graph: ReadonlyMap<string, readonly string[]>, home: string, from: string): string[] {
  const reached = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path) || !path.startsWith(`${home}/`)) return;
    seen.add(path);
    const room = roomIn(home, path);
    if (room !== "") reached.add(room);
    else for (const target of graph.get(path) ?? []) visit(target);
  };
  visit(from);
  return [...reached];
}

function isGenerated(path: string): boolean {
  return path.startsWith("internal/gen/");
}

function placeOf(path: string): Place | undefined {
  const [top = "", folder = "", ...rest] = path.split("/");
  if (/\.test\.tsx?$/.test(path)) return { layer: "free", home: "tests" };
  if (folder === "") return { layer: "free", home: "tool configuration" };
  if (top === "docs") return { layer: "free", home: "examples" };
  if (top === "client") return { layer: "client", home: "client" };
  if (top === "envoy") return { layer: "edge", home: "envoy" };
  if (rest.length === 0) return undefined;
  if (top === "cmd") {
    const own = ownPrograms.find((program) => path.startsWith(`${program}/`));
    if (own) return { layer: "main", home: own };
    return { layer: clientPrograms.has(folder) ? "program" : "main", home: `cmd/${folder}` };
  }
  if (top !== "internal") return undefined;
  const home = `internal/${folder}`;
  if (folder === "testing") return { layer: "free", home };
  if (folder === "gen") return { layer: "gen", home };
  if (services.has(folder)) return { layer: isDomain(path) ? "domain" : "service", home };
  return folder in arrows ? { layer: folder, home } : undefined;
}

/** In a service folder everything is a domain file but configuration, RPCs, ports, doors to the world and metrics. */
function isDomain(path: string): boolean {
  return !/^((config|service|ports|metrics)|door-.*)\.tsx?$/.test(posix.basename(path));
}

/** Static imports and re-exports begin a line; a dynamic import may stand anywhere. */
function importsOf(text: string): Import[] {
  const patterns = [
    /^[ \t]*(?:import|export)\s+[\w$*{},\s]*?\bfrom\s*["']([^"']+)["']/gm,
    /^[ \t]*(?:export|import)\s*\{[\w$*,\s]*\}\s*from\s*["']([^"']+)["']/gm,
    /^[ \t]*import\s*["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']/g,
  ];
  const found = new Map<number, Import>();
  for (const match of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
    const line = text.slice(0, match.index).split("\n").length;
    found.set(match.index, { line, specifier: match[1] ?? "" });
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

/** Generated code is imported as `…_pb.js` beside `…_pb.d.ts`; own code by the name of the file. */
function resolve(from: string, specifier: string, known: ReadonlySet<string>): string {
  const path = posix.join(posix.dirname(from), specifier);
  if (known.has(path)) return path;
  const sources = [path.replace(/\.js$/, ".ts"), path.replace(/\.js$/, ".tsx")];
  return sources.find((source) => known.has(source)) ?? path;
}

function checkArrow(at: string, from: Place, targetPath: string): string[] {
  if (from.layer === "free") return [];
  const target = placeOf(targetPath);
  if (!target) return []; // Not source code: a JSON file, or a path that tsc will refuse.
  if (target.layer === "free") {
    if (target.home === "tool configuration") return [];
    return [`${at}: ${from.layer} → ${target.home} (${targetPath}): only tests import this`];
  }
  if (target.home === from.home) return [];
  const targetLayer = target.layer === "domain" ? "service" : target.layer;
  if (
    services.has(from.home.replace("internal/", "")) &&
    from.home !== PUSH &&
    targetPath.startsWith(FRAMES)
  ) {
    return [
      `${at}: ${from.home} → ${targetPath}: only push knows its frames; others make them by internal/wire`,
    ];
  }
  if (arrows[from.layer]?.includes(targetLayer)) return [];
  if (["engines", "edge"].includes(targetLayer) && startsEngines.has(from.home)) return [];
  // Both halves of a link have the port itself for a type, so that the compiler holds them to it.
  if (from.layer === "peers" && targetLayer === "service" && targetPath.endsWith("/ports.ts")) return [];
  if (targetLayer === "gen" && from.layer === "gen") return [];
  const bothServices = targetLayer === "service" && (from.layer === "service" || from.layer === "domain");
  if (bothServices) {
    return [`${at}: ${from.home} → ${target.home} (${targetPath}): services meet in ports, never by import`];
  }
  const allowed = arrows[from.layer]?.join(", ") || "nothing";
  return [`${at}: ${from.layer} → ${targetLayer} (${targetPath}): ${from.layer} may import ${allowed}`];
}

function checkPackage(at: string, path: string, from: Place, specifier: string): string[] {
  if (from.layer === "free") return [];
  const wall = walls.find(([name]) => covers(name, specifier));
  if (wall && !wall[1].some((folder) => path.startsWith(folder))) {
    return [`${at}: ${from.home} → ${specifier}: only ${wall[1].join(" and ") || "tests"} may import it`];
  }
  if (from.layer === "domain" && !domainPackages.some((name) => covers(name, specifier))) {
    return [
      `${at}: domain → ${specifier}: domain files import only gen, base, wire, stream and their own folder`,
    ];
  }
  return [];
}

function covers(name: string, specifier: string): boolean {
  if (name.endsWith("/")) return specifier.startsWith(name);
  return specifier === name || specifier.startsWith(`${name}/`);
}

function checkName(path: string): string[] {
  const words = path.split("/").flatMap((segment) => (segment.split(".")[0] ?? "").split("-"));
  const vague = words.find((word) => /^(utils?|helpers?|common|misc)$/i.test(word));
  return vague ? [`${path}:1: "${vague}" names nothing; name the file after what it exports`] : [];
}

function checkLength(file: SourceFile): string[] {
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  return lines > maxLines ? [`${file.path}:${lines}: longer than ${maxLines} lines`] : [];
}

/** Depth-first search; a file seen again on the current path closes a cycle. Each cycle is reported once. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (done.has(path)) return;
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push(`${path}:1: import cycle ${[...trail.slice(start), path].join(" → ")}`);
      return;
    }
    trail.push(path);
    for (const target of graph.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return cycles;
}
