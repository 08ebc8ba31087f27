import type { Seen } from "./history.ts";

/** A history and what it is called. */
export interface NamedHistory {
  readonly name: string;
  readonly history: readonly Seen[];
}

/** What each type of line has beside `atMs`, `device`, `user` and `type`. */
const FIELDS: Readonly<Record<Seen["type"], readonly string[]>> = {
  begin: [],
  write: ["thread", "clientId", "text"],
  sent: ["thread", "clientId", "seq", "text"],
  failed: ["clientId", "text"],
  entry: ["thread", "entry"],
  change: ["what", "about", "state"],
  phase: ["phase"],
  stores: ["serve"],
  trouble: ["what", "forMs"],
  watch: ["of"],
  presence: ["of", "status"],
  typing: ["thread", "of"],
  receipt: ["thread", "of", "delivered", "read"],
  read: ["thread", "seq"],
  stream: ["unacknowledged"],
  calm: ["heads"],
  watching: ["of", "status", "isThere"],
  end: ["thread", "isGroup", "headSeq", "hasLeft", "readSeq", "unread", "entries"],
  outbox: ["texts"],
};

/** A history as JSON lines: first its name, then a line for each thing that was seen. */
export function linesOf({ name, history }: NamedHistory): string {
  return [{ history: name }, ...history].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/**
 * The histories of a file, each with its lines in order of time: several writers need not agree in which order they write.
 * Lines before the first name make a history without one. Throws, with the number of the line, for what is no line of a
 * history.
 */
export function historiesOf(text: string): NamedHistory[] {
  const histories: { readonly name: string; readonly history: Seen[] }[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = lineOf(line, at + 1);
    if ("history" in read) histories.push({ name: String(read.history), history: [] });
    else {
      if (histories.length === 0) histories.push({ name: "", history: [] });
      histories.at(-1)?.history.push(read);
    }
  }
  for (const { history } of histories) history.sort((a, b) => a.atMs - b.atMs);
  return histories;
}

function lineOf(line: string, number: number): Seen | { readonly history: unknown } {
  const wrong = (why: string) =>
    new Error(`line ${number} is no line of a history: ${why}; see judge/README.md`);
  let read: Partial<Seen> | { history: unknown } | null;
  try {
    read = JSON.parse(line);
  } catch {
    throw wrong("it is not JSON");
  }
  if (typeof read !== "object" || read === null) throw wrong("it is no object");
  if ("history" in read) return read;
  const fields = FIELDS[read.type ?? ("" as Seen["type"])];
  if (!fields) throw wrong(`its type is ${read.type}`);
  for (const field of ["atMs", "device", "user", ...fields])
    if (!(field in read)) throw wrong(`it has no ${field}`);
  return read as Seen;
}
