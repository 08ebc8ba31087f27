import { readdir, readFile } from "node:fs/promises";

/** Linux counts the time of threads in hundredths of a second. */
const TICKS_A_SECOND = 100;

/** CPU seconds of a process by the names of its threads. */
export type ThreadSeconds = ReadonlyMap<string, number>;

/** Reads it from Linux; empty elsewhere. */
export async function threadSeconds(pid: number): Promise<ThreadSeconds> {
  const folder = `/proc/${pid}/task`;
  const seconds = new Map<string, number>();
  for (const thread of await readdir(folder).catch(() => [])) {
    const stat = await readFile(`${folder}/${thread}/stat`, "utf8").catch(() => "");
    const found = parseThread(stat);
    if (found) seconds.set(found.name, (seconds.get(found.name) ?? 0) + found.seconds);
  }
  return seconds;
}

/** One line of /proc/…/stat: `id (name) state …`, user and system time being the 14th and 15th field. */
export function parseThread(stat: string): { readonly name: string; readonly seconds: number } | undefined {
  const end = stat.lastIndexOf(")");
  const name = stat.slice(stat.indexOf("(") + 1, end);
  const [, , , , , , , , , , , user, system] = stat.slice(end + 2).split(" ");
  if (end < 0 || user === undefined || system === undefined) return undefined;
  return { name, seconds: (Number(user) + Number(system)) / TICKS_A_SECOND };
}

/** Which threads used how much of the time between two readings, as one line; undefined if that is not known. */
export function threadsText(before: ThreadSeconds, after: ThreadSeconds): string | undefined {
  const used = [...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)] as const);
  const all = used.reduce((sum, [, seconds]) => sum + seconds, 0);
  if (all <= 0) return undefined;
  const shares = used
    .filter(([, seconds]) => seconds > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, seconds]) => `${name} ${((100 * seconds) / all).toFixed(0)} %`);
  return `CPU of the server by thread: ${shares.join(", ")}`;
}
