import { type Clock, sleep } from "../../../base/clock.ts";
import { overloaded } from "../../../base/heddle-error.ts";
import { Deadlines } from "../../../stream/deadlines.ts";
import type {
  Cell,
  CellCheck,
  LinkCall,
  ResultRow,
  RowRead,
  RowsRead,
  RowWrite,
  ServerLink,
} from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";
import { answerWithin } from "./answer-within.ts";
import type { Quorum } from "./quorum.ts";
import { RegionFinder } from "./region-finder.ts";
import type { Region } from "./region-map.ts";
import type { ServerLinks } from "./server-links.ts";

export interface HbaseTableInit {
  readonly table: string;
  readonly quorum: Quorum;
  readonly links: ServerLinks;
  readonly clock: Clock;
  /** How long a call may take with all its repetitions, in ms. */
  readonly callMs: number;
  /** What calls under way and partial answers may hold, in bytes. */
  readonly maxBytes: number;
}

/** Between tries: doubled from the first to the last, in ms. */
const PAUSE_MS = { first: 20, last: 500 };

/** With less time left than this, in ms, nothing is sent: nobody would wait for the answer, and it would be done all the same. */
const LEAST_MS = 200;

/** What a call costs in memory beyond its bytes. */
const CALL_BYTES = 1_024;

/** When to try again after OVERLOADED, in ms. */
const RETRY_AFTER_MS = 200;

/** What became of a check, and after how many tries: from the second on, "no" may be the echo of an earlier one. */
export interface Checked {
  readonly isDone: boolean;
  readonly tries: number;
}

/** What has happened since the start. */
export interface TableCounts {
  /** Calls that were repeated. */
  readonly retries: number;
  /** Regions that were looked up. */
  readonly lookups: number;
  /** Calls that ended without an answer. */
  readonly unanswered: number;
}

/**
 * Rows of one table, wherever their regions are. What a server refuses without having done it is repeated until the call's
 * time is up; what may have been done only where twice is the same as once. Methods reject with HbaseError, and with
 * OVERLOADED where too much is under way.
 */
export class HbaseTable {
  readonly #init: HbaseTableInit;
  readonly #finder: RegionFinder;
  readonly #deadlines: Deadlines;
  readonly #stop = new AbortController();
  #bytes = 0;
  #retries = 0;
  #unanswered = 0;

  constructor(init: HbaseTableInit) {
    const { table, quorum, links, clock } = init;
    this.#init = init;
    this.#deadlines = new Deadlines(clock);
    this.#finder = new RegionFinder({ table, quorum, links, clock, deadlines: this.#deadlines });
  }

  get counts(): TableCounts {
    return { retries: this.#retries, lookups: this.#finder.lookups, unanswered: this.#unanswered };
  }

  async get(read: RowRead): Promise<readonly Cell[]> {
    const call = { row: read.row, bytes: 0, isRepeatable: true, what: "a read" };
    return (await this.#perform(call, (link, { name }, ms) => link.get(name, read, ms))).value;
  }

  /** Writes once: where it is not known whether it was done it rejects, `unknown`. */
  async put(write: RowWrite): Promise<void> {
    const call = { row: write.row, bytes: bytesOf(write), isRepeatable: false, what: "a write" };
    await this.#perform(call, (link, { name }, ms) => link.write(name, write, undefined, ms));
  }

  /** Writes if the check holds. Repeated also where it may have been done: then the check does not hold any more. */
  async checkAndWrite(write: RowWrite, check: CellCheck): Promise<Checked> {
    const call = { row: write.row, bytes: bytesOf(write), isRepeatable: true, what: "a checked write" };
    const done = await this.#perform(call, (link, { name }, ms) => link.write(name, write, check, ms));
    return { isDone: done.value, tries: done.tries };
  }

  /** Rows upwards from a key, of the region that has it alone; and where that region ends, empty for the table's end. */
  async scan(read: RowsRead): Promise<{ readonly rows: readonly ResultRow[]; readonly end: Uint8Array }> {
    const call = { row: read.from, bytes: 0, isRepeatable: true, what: "a scan" };
    const { value } = await this.#perform(call, (link, { name, end }, ms) => {
      const { answer, forget } = link.scan(name, read, ms);
      return { answer: answer.then((rows) => ({ rows, end })), forget };
    });
    return value;
  }

  /** Where a row is now. For operations on regions. */
  region(row: Uint8Array): Promise<Region> {
    return this.#finder.find(row);
  }

  /** Calls under way reject, later ones too. */
  close(): void {
    this.#stop.abort();
  }

  async #perform<T>(
    call: {
      readonly row: Uint8Array;
      readonly bytes: number;
      readonly isRepeatable: boolean;
      readonly what: string;
    },
    start: (link: ServerLink, region: Region, leftMs: number) => LinkCall<T>,
  ): Promise<{ readonly value: T; readonly tries: number }> {
    const { clock, callMs } = this.#init;
    const endMs = clock.monotonicMs() + callMs;
    const cost = call.bytes + CALL_BYTES;
    this.#admit(cost);
    this.#bytes += cost;
    try {
      for (
        let tries = 1, pauseMs = PAUSE_MS.first;
        ;
        tries++, pauseMs = Math.min(2 * pauseMs, PAUSE_MS.last)
      ) {
        try {
          return { value: await this.#try(call, start, endMs), tries };
        } catch (error) {
          const problem = HbaseError.from(error);
          const { reaction } = problem;
          if (reaction === "refused" || (reaction === "unknown" && !call.isRepeatable)) throw problem;
          const nextMs = clock.monotonicMs() + pauseMs + LEAST_MS;
          if (this.#stop.signal.aborted || nextMs > endMs) throw problem;
          await sleep(clock, pauseMs, this.#stop.signal).catch(() => {
            throw problem;
          });
          this.#retries++;
        }
      }
    } finally {
      this.#bytes -= cost;
    }
  }

  async #try<T>(
    { row, what }: { readonly row: Uint8Array; readonly what: string },
    start: (link: ServerLink, region: Region, leftMs: number) => LinkCall<T>,
    endMs: number,
  ): Promise<T> {
    if (this.#stop.signal.aborted) throw new HbaseError("refused", "closed", "the table was closed");
    const { clock, links } = this.#init;
    const leftMs = () => Math.max(1, endMs - clock.monotonicMs());
    const late = () => new HbaseError("retry", "late", "where the row is was not found in time");
    const region = await this.#deadlines.bound(this.#finder.find(row), leftMs(), late);
    const ms = leftMs();
    if (ms < LEAST_MS) throw late();
    const link = links.link(region.address);
    try {
      return await answerWithin(this.#deadlines, link, start(link, region, ms), ms, what);
    } catch (error) {
      const { reaction } = HbaseError.from(error);
      if (reaction === "unknown") this.#unanswered++;
      if (reaction === "unknown" || reaction === "relocate") this.#finder.forget(region);
      throw error;
    }
  }

  #admit(cost: number): void {
    const held = this.#bytes + this.#init.links.partialBytes;
    if (held > 0 && held + cost > this.#init.maxBytes) throw overloaded("message store", RETRY_AFTER_MS);
  }
}

function bytesOf({ cells }: RowWrite): number {
  let bytes = 0;
  for (const { qualifier, value } of cells) bytes += qualifier.length + value.length;
  return bytes;
}
