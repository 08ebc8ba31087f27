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
import { withoutRules } from "./lean-descriptor.ts";

const folder = import.meta.dirname;
const root = join(folder, "..");

const GENERATED = "internal/gen";

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
    takeGenerated(part, file);
  }
  copyFileSync(join(root, "LICENSE"), join(part, "LICENSE"));
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

/** Copies, without validation rules, what a compiled file imports of the generated code: JavaScript already, tsc leaves it where it is. */
function takeGenerated(dist: string, file: string): void {
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/["'](\.\.?\/[^"']*_pb\.js)["']/g)) {
    const path = relative(join(dist, GENERATED), join(dirname(file), specifier));
    const target = join(dist, GENERATED, path);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const types = path.replace(/\.js$/, ".d.ts");
    copyFileSync(join(root, GENERATED, types), join(dist, GENERATED, types));
    writeFileSync(target, withoutRules(readFileSync(join(root, GENERATED, path), "utf8")));
    takeGenerated(dist, target);
  }
}

if (import.meta.main) buildClient();
