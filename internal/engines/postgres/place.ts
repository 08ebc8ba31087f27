import { randomBytes } from "node:crypto";
import { chown, mkdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../base/make-folder.ts";
import { mayEnter, type PlainUser } from "./plain-user.ts";

/** Where a root's Postgres keeps its data if its user may not enter the folder that was given. */
const ELSEWHERE = "/var/lib/heddle";

/**
 * The folder that Postgres's user owns: `owned` in the folder that was given. Where that user may not enter it (below
 * root's home, say), `owned` is a link to a folder of its own in /var/lib/heddle; to delete the link is to start anew.
 */
export async function ownedFolder(folder: string, user: PlainUser | undefined): Promise<string> {
  await makeFolder(folder, user ? 0o711 : 0o700);
  const owned = join(folder, "owned");
  const elsewhere = await readlink(owned).catch(() => undefined);
  if (elsewhere !== undefined) return elsewhere;
  if (!user || (await mayEnter(user, folder))) {
    await makeFolder(owned);
    if (user) await chown(owned, user.uid, user.gid);
    return owned;
  }
  const place = join(ELSEWHERE, `postgres-${randomBytes(6).toString("hex")}`);
  await mkdir(ELSEWHERE, { recursive: true, mode: 0o711 });
  await makeFolder(place);
  await chown(place, user.uid, user.gid);
  await symlink(place, owned);
  return place;
}
