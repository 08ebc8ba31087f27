import type { ServerAddress } from "../wall/driver.ts";

/** A region of the table: rows from `start` up to `end`, which is not in it; an empty end is that of the table. */
export interface Region {
  readonly name: Uint8Array;
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly address: ServerAddress;
}

/** Which regions of one table are known, in order of rows. Regions do not overlap: a newer one drops those it covers. */
export class RegionMap {
  #regions: Region[] = [];

  find(row: Uint8Array): Region | undefined {
    const region = this.#regions[this.#lastAtOrBelow(row)];
    return region && covers(region, row) ? region : undefined;
  }

  put(region: Region): void {
    const kept = this.#regions.filter((other) => !overlap(other, region));
    kept.push(region);
    this.#regions = kept.sort((a, b) => Buffer.compare(a.start, b.start));
  }

  #lastAtOrBelow(row: Uint8Array): number {
    let low = 0;
    let high = this.#regions.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const { start } = this.#regions[middle] as Region;
      if (Buffer.compare(start, row) <= 0) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }
}

export function covers({ start, end }: Pick<Region, "start" | "end">, row: Uint8Array): boolean {
  return Buffer.compare(start, row) <= 0 && (end.length === 0 || Buffer.compare(row, end) < 0);
}

function overlap(a: Region, b: Region): boolean {
  const isBefore = (first: Region, second: Region) =>
    first.end.length > 0 && Buffer.compare(first.end, second.start) <= 0;
  return !isBefore(a, b) && !isBefore(b, a);
}
