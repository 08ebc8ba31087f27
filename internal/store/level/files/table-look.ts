import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Damage } from "./level-files.ts";
import { frameProblem, tableProblem } from "./table-file.ts";

export interface TableLook {
  /** Every block is read; else footer, indexes and filters, a hundredth of the file. */
  readonly isWhole: boolean;
  /** Told before each table: how many are done, of how many, and the bytes of those. */
  readonly progress?: (done: number, of: number, bytes: number) => void;
}

/** How much of a table is read for its indexes, in bytes: those of the usual 2 MiB have about 30 KB of them. */
const TAIL_BYTES = 64 * 1024;

/**
 * Looks at tables by our own reader. It must be done before LevelDB opens the folder: LevelDB looks at no checksum, and
 * where it then meets bytes that cannot be, an assertion ends the whole process. Other work goes on in between: a table
 * takes about 5 ms. Rejects as node:fs does.
 */
export async function lookAtTables(
  path: string,
  tables: readonly string[],
  { isWhole, progress }: TableLook,
): Promise<readonly Damage[]> {
  const damages: Damage[] = [];
  let bytes = 0;
  for (const [done, file] of tables.entries()) {
    progress?.(done, tables.length, bytes);
    const look = await (isWhole ? wholeLook : frameLook)(join(path, file));
    bytes += look.bytes;
    if (look.why) damages.push({ file, why: look.why });
    await nextTurn();
  }
  return damages;
}

interface Looked {
  readonly bytes: number;
  readonly why: string | undefined;
}

async function wholeLook(path: string): Promise<Looked> {
  const file = await readFile(path);
  return { bytes: file.length, why: tableProblem(file) };
}

async function frameLook(path: string): Promise<Looked> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let length = Math.min(TAIL_BYTES, size); ; ) {
      const tail = Buffer.alloc(length);
      await file.read(tail, 0, length, size - length);
      const found = frameProblem(tail, size);
      if (typeof found !== "object") return { bytes: length, why: found };
      length = Math.max(found.needs, Math.min(2 * length, size));
    }
  } finally {
    await file.close();
  }
}
