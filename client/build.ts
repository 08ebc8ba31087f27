import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

const folder = import.meta.dirname;
const root = join(folder, "..");

/** The generated code that goes into the package: without validation rules, which servers alone read. */
const GENERATED = "internal/gen-web";

/**
 * Builds what others install as `@heddle/client` into client/dist: the client and what it uses of internal/, compiled
 * to ECMAScript modules with their types. An older build is replaced only by one that is complete. Throws what tsc says.
 */
export function buildClient(): void {
  const part = join(folder, ".cache/dist");
  rmSync(part, { recursive: true, force: true });
  const tsc = join(root, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-p", join(folder, "tsconfig.package.json"), "--outDir", part], { stdio: "inherit" });
  for (const file of modulesIn(part)) {
    if (file.endsWith(".d.ts")) nameModules(file);
    bindToGenerated(part, file);
  }
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  renameSync(part, join(folder, "dist"));
}

function modulesIn(dist: string): string[] {
  const all = readdirSync(dist, { recursive: true, encoding: "utf8" });
  return all.filter((path) => /\.(js|d\.ts)$/.test(path)).map((path) => join(dist, path));
}

/** tsc names modules as they run in the code that it writes, but leaves `.ts` in the types. */
function nameModules(file: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/((?:from|import\() ?"\.\.?\/[^"]+)\.ts"/g, '$1.js"'));
}

/**
 * Points a compiled file's imports of generated code, whichever of its two sets they name, to one copy in the package,
 * and makes that copy. tsc does not copy it: it is JavaScript already, with its types beside it.
 */
function bindToGenerated(dist: string, file: string): void {
  const text = readFileSync(file, "utf8");
  const bound = text.replace(/(["'])(\.\.?\/[^"']*_pb\.js)\1/g, (_, quote: string, specifier: string) => {
    const path = relative(dist, join(dirname(file), specifier)).replace(/^internal\/gen(-web)?\//, "");
    copyGenerated(dist, path);
    const target = relative(dirname(file), join(dist, "internal/gen", path));
    return `${quote}${target.startsWith(".") ? target : `./${target}`}${quote}`;
  });
  if (bound !== text) writeFileSync(file, bound);
}

/** Copies a generated module, its types, and what it imports. */
function copyGenerated(dist: string, path: string): void {
  const target = join(dist, "internal/gen", path);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  for (const each of [path, path.replace(/\.js$/, ".d.ts")]) {
    copyFileSync(join(root, GENERATED, each), join(dist, "internal/gen", each));
  }
  const imports = readFileSync(target, "utf8").matchAll(/from "(\.\.?\/[^"]*_pb\.js)"/g);
  for (const [, specifier = ""] of imports) copyGenerated(dist, join(dirname(path), specifier));
}

if (import.meta.main) buildClient();
