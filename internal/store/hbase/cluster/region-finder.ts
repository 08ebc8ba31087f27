import type { Clock } from "../../../base/clock.ts";
import { hex } from "../../../base/ids.ts";
import type { Deadlines } from "../../../stream/deadlines.ts";
import type { ResultRow, ServerAddress, ServerLink } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";
import { ReadFields } from "../wall/protobuf-fields.ts";
import { answerWithin } from "./answer-within.ts";
import type { Quorum } from "./quorum.ts";
import { covers, type Region, RegionMap } from "./region-map.ts";
import type { ServerLinks } from "./server-links.ts";
import { readNote } from "./zookeeper-notes.ts";

/** How long one look-up may take, in ms, however many wait for it: less than a call of the store. */
const LOOKUP_MS = 1_500;

const META_REGION = Buffer.from("hbase:meta,,1");

/** Behind a row it sorts after every region id, which are digits. */
const AFTER_IDS = ",:";

/** Before a region's fields in its row. */
const MAGIC = Buffer.from("PBUF");

export interface RegionFinderInit {
  readonly table: string;
  readonly quorum: Quorum;
  readonly links: ServerLinks;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

/**
 * Where the rows of one table are: remembered, and looked up in HBase's own table of regions. Who waits for a row of the
 * same lost region waits for one look-up, whose failure is that of all.
 */
export class RegionFinder {
  readonly #init: RegionFinderInit;
  readonly #regions = new RegionMap();
  /** Not where they were; each stays in the map until what has taken its place is found. */
  readonly #lost = new WeakSet<Region>();
  readonly #running = new Map<string, Promise<Region>>();
  #meta: ServerAddress | undefined;
  /** How often a region was looked up. */
  lookups = 0;

  constructor(init: RegionFinderInit) {
    this.#init = init;
  }

  /** Rejects with HbaseError: `refused` where there is no such table. */
  async find(row: Uint8Array): Promise<Region> {
    for (;;) {
      const known = this.#regions.find(row);
      if (known && !this.#lost.has(known)) return known;
      const place = known ? hex(known.start) : "";
      const running = this.#running.get(place);
      if (!running) return this.#start(place, row);
      const found = await running;
      if (covers(found, row)) return found;
    }
  }

  /** It is not where it was, or nobody answers there. */
  forget(region: Region): void {
    this.#lost.add(region);
  }

  #start(place: string, row: Uint8Array): Promise<Region> {
    const running = this.#lookUp(row).finally(() => this.#running.delete(place));
    this.#running.set(place, running);
    return running;
  }

  async #lookUp(row: Uint8Array): Promise<Region> {
    this.lookups++;
    const { table, links, deadlines, quorum, clock } = this.#init;
    const address = this.#meta ?? (await readNote(quorum, "meta-region-server", clock));
    this.#meta = address;
    try {
      const link: ServerLink = links.link(address);
      const from = Buffer.concat([Buffer.from(`${table},`), row, Buffer.from(AFTER_IDS)]);
      const read = { from, isReversed: true, families: ["info"], limit: 1 };
      const call = link.scan(META_REGION, read, LOOKUP_MS);
      const [found] = await answerWithin(deadlines, link, call, LOOKUP_MS, "a look-up of a region");
      const region = regionOf(table, row, found);
      this.#regions.put(region);
      return region;
    } catch (error) {
      // The table of regions may have moved as well: ask where it is.
      if (HbaseError.from(error).kind !== "TableNotFound") this.#meta = undefined;
      throw error;
    }
  }
}

function regionOf(table: string, row: Uint8Array, found: ResultRow | undefined): Region {
  const start = Buffer.from(`${table},`);
  if (!found || !Buffer.from(found.key).subarray(0, start.length).equals(start))
    throw new HbaseError("refused", "TableNotFound", table);
  const column = (name: string) =>
    found.cells.find(({ qualifier }) => Buffer.from(qualifier).toString("latin1") === name)?.value;
  const info = Buffer.from(column("regioninfo") ?? []);
  const fields = new ReadFields(info.subarray(info.indexOf(MAGIC) + MAGIC.length));
  const address = Buffer.from(column("server") ?? []).toString();
  const none = new Uint8Array(0);
  const region = { start: fields.bytes(3) ?? none, end: fields.bytes(4) ?? none };
  const isGone = fields.number(5) === 1 || fields.number(6) === 1;
  if (address === "" || isGone || !covers(region, row))
    throw new HbaseError("retry", "NoServer", "a region is being opened, or split");
  return { ...region, name: new Uint8Array(found.key), address };
}
