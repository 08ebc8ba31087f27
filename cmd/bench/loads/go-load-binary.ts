import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../../internal/base/cache-folder.ts";
import { sourcesHash } from "../../../internal/base/sources-hash.ts";
import { ROOT } from "../folders.ts";

const SOURCE = join(import.meta.dirname, "../go-load");

/** What `go` reads: its module is that of the stubs, which come in beside the load. */
const MODULE = ["go.mod", "go.sum"];

/**
 * The path of the load in Go: built, after its own tests, the first time for each state of its source and of the schema
 * (a minute or two), and kept in the cache (cmd/bench/README.md). Throws an Error that says how to mend if Go is missing or fails.
 */
export async function goLoadBinary(progress: (text: string) => void): Promise<string> {
  const cache = cacheFolder();
  const binary = join(cache, `bench-go-load-${await version()}`);
  if (existsSync(binary)) return binary;
  progress("building the load in Go, this once");
  await mkdir(cache, { recursive: true });
  const build = join(cache, `bench-go-load.part-${randomUUID()}`);
  try {
    await run("go", ["version"]);
    await run(process.execPath, [join(ROOT, "cmd/stubs/main.ts"), "go", build]);
    await cp(SOURCE, join(build, "go-load"), { recursive: true });
    for (const file of MODULE) await rename(join(build, "go-load", file), join(build, file));
    // A load that judges wrongly is worse than none: its tests run before it is kept.
    await run("go", ["test", "./go-load"], build);
    await run("go", ["build", "-o", "binary", "./go-load"], build);
    // In one step: of two runs at once each keeps a whole binary, and a killed one leaves none.
    await rename(join(build, "binary"), binary);
  } finally {
    await rm(build, { recursive: true, force: true });
  }
  return binary;
}

/** Names a state of the load's source, of the schema and of what writes the stubs. */
function version(): Promise<string> {
  return sourcesHash(ROOT, [
    { folder: SOURCE, ending: "" },
    { folder: join(ROOT, "proto/heddle"), ending: ".proto" },
    { folder: join(ROOT, "cmd/stubs"), ending: ".ts" },
  ]);
}

async function run(command: string, args: readonly string[], cwd = ROOT): Promise<void> {
  try {
    // An older Go would fetch the one that go.mod names; a newer one serves.
    await promisify(execFile)(command, args, { cwd, env: { ...process.env, GOTOOLCHAIN: "local" } });
  } catch (cause) {
    const { code, stdout = "", stderr = "" } = cause as NodeJS.ErrnoException & Record<string, string>;
    const said = `${stdout}${stderr}`.trim().slice(-2_000);
    const isGo = code === "ENOENT" || said.includes("requires go >=");
    const mend = isGo ? "\ninstall Go 1.26 or newer (https://go.dev), or measure without it by ONLY=…" : "";
    const what = code === "ENOENT" ? "is missing" : `failed: ${said}`;
    throw new Error(`${command} ${args[0]} ${what}${mend}`, { cause });
  }
}
