import { readUint64, writeUint64 } from "../keys.ts";
import type { HbaseTable } from "./cluster/hbase-table.ts";

/** The row of what the whole table has. It is shorter than every thread's row, so it is none of theirs. */
const ROW = new TextEncoder().encode("history");
const DEPLOYMENT = new TextEncoder().encode("deployment");
const LOG_EPOCH = new TextEncoder().encode("log-epoch");

export interface HbaseHistoryInit {
  readonly table: HbaseTable;
  /** Another log epoch: 1 … MAX_LOG_EPOCH, random. */
  readonly newLogEpoch: () => number;
}

/** What the table knows of itself. */
export interface StoredHistory {
  /** 16 bytes; undefined in a table that no deployment has used. */
  readonly deploymentId: Uint8Array | undefined;
  /** 0 where none has begun. */
  readonly logEpoch: number;
}

/**
 * Which deployment the table is of, and since when its logs have only grown (docs/design.md, section 5, Identity). Many
 * programs serve one table and none of them ends that time by starting: only who puts the table back does, by `restored`.
 */
export class HbaseHistory {
  readonly #table: HbaseTable;
  readonly #newLogEpoch: () => number;

  constructor({ table, newLogEpoch }: HbaseHistoryInit) {
    this.#table = table;
    this.#newLogEpoch = newLogEpoch;
  }

  async read(): Promise<StoredHistory> {
    const cells = await this.#table.get({ row: ROW, families: ["h"], filter: undefined });
    const value = (name: Uint8Array) => cells.find(({ qualifier }) => isEqual(qualifier, name))?.value;
    const epoch = value(LOG_EPOCH);
    return { deploymentId: value(DEPLOYMENT), logEpoch: epoch ? readUint64(epoch, 0) : 0 };
  }

  /** The id of the deployment whose table it is: `mine` where there was none, if one is given. Undefined without any. */
  async deployment(mine?: Uint8Array): Promise<Uint8Array | undefined> {
    if (mine) await this.#putIf(DEPLOYMENT, undefined, mine);
    return (await this.read()).deploymentId;
  }

  /** Of several programs that begin one at once all get the same. */
  async logEpoch(): Promise<number> {
    const { logEpoch } = await this.read();
    if (logEpoch > 0) return logEpoch;
    await this.#putIf(LOG_EPOCH, undefined, epochBytes(this.#newLogEpoch()));
    return (await this.read()).logEpoch;
  }

  /** The table was put back from an earlier time: another log epoch begins. Returns it. Every program has to start anew. */
  async restored(): Promise<number> {
    for (;;) {
      const { logEpoch } = await this.read();
      const next = this.#newLogEpoch();
      if (next === logEpoch) continue;
      const before = logEpoch > 0 ? epochBytes(logEpoch) : undefined;
      await this.#putIf(LOG_EPOCH, before, epochBytes(next));
      const now = (await this.read()).logEpoch;
      if (now !== logEpoch) return now;
    }
  }

  async #putIf(qualifier: Uint8Array, expected: Uint8Array | undefined, value: Uint8Array): Promise<void> {
    const write = { kind: "put", row: ROW, cells: [{ family: "h", qualifier, value }] } as const;
    await this.#table.checkAndWrite(write, { family: "h", qualifier, expected });
  }
}

function epochBytes(epoch: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeUint64(bytes, 0, epoch);
  return bytes;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
