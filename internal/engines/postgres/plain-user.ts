import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { EngineError } from "../engine.ts";

/** Another user than root, by numbers. */
export interface PlainUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user that Postgres is run as, since it refuses root: `postgres` if there is one, else `nobody`; undefined if we are not root. */
export async function plainUser(): Promise<PlainUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  if (!found) {
    throw new EngineError("Postgres refuses root, and there is no user postgres or nobody to run it as");
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

/** Gives a folder, and all in it, to the user; does nothing where there is none. */
export async function giveTo(user: PlainUser | undefined, folder: string): Promise<void> {
  if (user) await promisify(execFile)("chown", ["-R", `${user.uid}:${user.gid}`, folder]);
}

/** Whether the user may enter a folder: one above it may be closed, as root's home is. Asked of the system itself. */
export async function mayEnter(user: PlainUser | undefined, folder: string): Promise<boolean> {
  return await promisify(execFile)("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { cwd: "/", ...user }).then(
    () => true,
    () => false,
  );
}
