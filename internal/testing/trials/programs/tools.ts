import { existsSync } from "node:fs";
import { join } from "node:path";
import { pythonStubs as writePythonStubs } from "../../../../cmd/stubs/python.ts";
import { ROOT } from "../../../../cmd/stubs/tool.ts";
import { sourcesHash } from "../../../base/sources-hash.ts";
import { cached } from "../../../engines/install/cached.ts";
import { runTool } from "../../../engines/install/run-tool.ts";

const grpcurlVersion = "1.9.3";

/**
 * The path of grpcurl, built by Go into the cache the first time (1 to 4 minutes).
 * Throws an error that says how to get it when Go is missing.
 */
export async function grpcurl(): Promise<string> {
  const folder = await cached(`grpcurl-${grpcurlVersion}`, "grpcurl", async (target) => {
    const env = { ...process.env, GOBIN: target };
    const source = `github.com/fullstorydev/grpcurl/cmd/grpcurl@v${grpcurlVersion}`;
    await runTool("go", ["install", source], "install Go 1.24 or newer (https://go.dev)", { env });
  });
  return join(folder, "grpcurl");
}

/** A folder for PYTHONPATH with Python stubs of everything in `proto/`, generated once for each state of the schema. */
export async function pythonStubs(): Promise<string> {
  return await cached(
    `python-stubs-${await schemaHash()}`,
    "buf/validate/validate_pb2.py",
    async (target) => {
      await writePythonStubs(target);
    },
  );
}

/** Names a state of the schema: 16 hex digits. */
export function schemaHash(): Promise<string> {
  const folder = join(ROOT, "proto");
  return sourcesHash(folder, [{ folder, ending: ".proto" }]);
}

/**
 * The path of another Node, of an exact version: npm brings it into the cache the first time (10 s). Throws an error
 * that says how to get it when npm cannot.
 */
export async function nodeOf(version: string): Promise<string> {
  const packaged = `node-${process.platform}-${process.arch}`;
  const binary = `node_modules/${packaged}/bin/node`;
  const folder = await cached(`node-${version}`, binary, async (target) => {
    const install = ["install", "--prefix", target, "--no-save", "--no-audit", "--no-fund"];
    const advice = "install Node.js 20 or newer, and npm with it";
    await runTool("npm", [...install, `${packaged}@${version}`], advice, { env: outsideEnv() });
  });
  return join(folder, binary);
}

/** The environment of a person's own shell: nothing of `make`, of npm's scripts or of this run's settings. */
export function outsideEnv(): NodeJS.ProcessEnv {
  const own = /^(npm_|MAKE|MFLAGS|HEDDLE_(?!CACHE_DIR))/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** The path of a Chromium or Chrome: CHROMIUM_BIN, or the first one installed. Throws when there is none. */
export async function chromium(): Promise<string> {
  const named = process.env.CHROMIUM_BIN;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM_BIN is ${named}, and no such file exists`);
  }
  const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    "no browser: install chromium (Debian: apt-get install chromium) or name one in CHROMIUM_BIN",
  );
}
