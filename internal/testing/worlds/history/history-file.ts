import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where histories are kept that once broke something, or break a variant: each is played again in every run. */
export const HISTORIES = join(import.meta.dirname, "histories");

/** One step as it stands in a file: what happens, and its numbers. */
export type WrittenStep = { readonly what: string };

/** A history as a file tells it. */
export interface HistoryFile {
  /** Which world it is played in. */
  readonly world: string;
  /** Entries of one bucket. */
  readonly bucketSize: number;
  /** The variant that it breaks; undefined if it once broke the real thing. */
  readonly breaks?: string | undefined;
  readonly steps: readonly WrittenStep[];
}

/**
 * A history as lines that a person reads and an editor changes: `name: value` first, a blank line, then a step a line,
 * `send user=0 server=1`. Lines that begin with `#` are comments.
 */
export function writeHistory({ world, bucketSize, breaks, steps }: HistoryFile): string {
  const head = [`world: ${world}`, `bucket size: ${bucketSize}`, ...(breaks ? [`breaks: ${breaks}`] : [])];
  return `${[...head, "", ...steps.map(line)].join("\n")}\n`;
}

function line({ what, ...numbers }: WrittenStep): string {
  const fields = Object.entries(numbers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [what.replaceAll(" ", "-"), ...fields].join(" ");
}

/** Throws an error that names the line. */
export function readHistory(text: string): HistoryFile {
  const lines = text.split("\n").filter((each) => !each.startsWith("#"));
  const end = lines.indexOf("");
  const head = new Map(lines.slice(0, end).map((each) => each.split(": ", 2) as [string, string]));
  return {
    world: head.get("world") ?? "",
    bucketSize: Number(head.get("bucket size")),
    breaks: head.get("breaks"),
    steps: lines
      .slice(end + 1)
      .filter((each) => each !== "")
      .map(stepOf),
  };
}

function stepOf(text: string): WrittenStep {
  const [what = "", ...fields] = text.split(" ");
  try {
    const numbers = fields.map((field) => {
      const at = field.indexOf("=");
      return [field.slice(0, at), JSON.parse(field.slice(at + 1))] as const;
    });
    return { what: what.replaceAll("-", " "), ...Object.fromEntries(numbers) };
  } catch (cause) {
    throw new Error(`no step: ${text}`, { cause });
  }
}

/** Keeps a history that has just failed, under a name that nothing else has. Returns the path. */
export async function keepHistory(history: HistoryFile, name: string): Promise<string> {
  const path = join(HISTORIES, `${name}.txt`);
  await mkdir(HISTORIES, { recursive: true });
  await writeFile(path, writeHistory(history));
  return path;
}
