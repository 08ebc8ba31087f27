import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";

/** Values above are counted as this: ten minutes, in microseconds. */
const MAX_US = 600_000_000;

/** Percentiles of a set of latencies, in milliseconds. */
export interface Percentiles {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p999_ms: number;
}

/** Latencies to three significant digits, from a microsecond to ten minutes, in little memory. */
export class Latencies {
  readonly #histogram: Histogram;

  /** `encoded` is what another one's `encode` returned. */
  constructor(encoded?: string) {
    this.#histogram =
      encoded === undefined
        ? build({ highestTrackableValue: MAX_US, numberOfSignificantValueDigits: 3 })
        : decodeFromCompressedBase64(encoded);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Adds one, in milliseconds. Below 0 (a clock's last digit) counts as 0. */
  add(ms: number): void {
    this.#histogram.recordValue(Math.min(MAX_US, Math.max(0, Math.round(ms * 1_000))));
  }

  /**
   * Adds another one's. Percentiles of several loads are those of all values together, and never a mean of percentiles.
   */
  addAll(other: Latencies): void {
    this.#histogram.add(other.#histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** As text, for another process. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  percentiles(): Percentiles {
    const at = (percent: number) => this.#histogram.getValueAtPercentile(percent) / 1_000;
    return { p50_ms: at(50), p99_ms: at(99), p999_ms: at(99.9) };
  }
}
