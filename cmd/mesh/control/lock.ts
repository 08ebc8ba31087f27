import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { identityOf, isSame, type ProcessIdentity } from "./process-identity.ts";

/**
 * Takes the lock of a mesh's folder for this process: of two supervisors at once one gets it. It is a file with the
 * holder's identity, and counts while that process runs, so a crash or a reboot leaves nothing to mend. Resolves to what
 * gives it back, or to who holds it.
 */
export async function takeLock(
  path: string,
): Promise<{ readonly release: () => Promise<void> } | { readonly heldBy: ProcessIdentity }> {
  const own = identityOf(process.pid);
  const text = JSON.stringify(own);
  const part = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(part, text, { mode: 0o600 });
  try {
    for (;;) {
      if (await linked(part, path)) return { release: () => rm(path, { force: true }) };
      const found = await readFile(path, "utf8").catch(() => undefined);
      if (found === undefined) continue; // Given back just now.
      const holder = holderIn(found);
      if (holder && isSame(holder)) return { heldBy: holder };
      await removeStale(path, found);
    }
  } finally {
    await rm(part, { force: true });
  }
}

async function linked(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Two may find the same stale lock; the slower of them must not take away what the quicker one has put there. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.stale-${randomBytes(6).toString("hex")}`;
  const isMoved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if ((await readFile(aside, "utf8")) !== text) await linked(aside, path);
  await rm(aside, { force: true });
}

function holderIn(text: string): ProcessIdentity | undefined {
  try {
    const { pid, began } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === "number" && typeof began === "string" ? { pid, began } : undefined;
  } catch {
    return undefined; // A lock that a power cut left empty.
  }
}
