import type { Clock } from "../base/clock.ts";
import { overloaded } from "../base/heddle-error.ts";
import { TokenBucket } from "../stream/token-bucket.ts";

/** Addresses that are remembered, at about 200 bytes each; beyond it the longest unused one may begin anew. */
const MAX_ADDRESSES = 10_000;
const MINUTE_MS = 60_000;

/** How often one source address may open a session. What comes from this machine itself is not counted. */
export class AddressLimit {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #buckets = new Map<string, TokenBucket>();

  /** `perMinute` may also come at once; 0: as often as it likes. */
  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts one. Throws OVERLOADED with queue `address` where it is one too many. `source` is a plain address, or "". */
  spend(source: string): void {
    const key = this.#perMinute > 0 ? keyOf(source) : undefined;
    if (key === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#perMinute, this.#perMinute / 60, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOne();
    if (!bucket.takeToken(nowMs)) throw overloaded("address", Math.ceil(MINUTE_MS / this.#perMinute));
  }

  #forgetOne(): void {
    for (const longestUnused of this.#buckets.keys()) {
      this.#buckets.delete(longestUnused);
      return;
    }
  }
}

/** An IPv6 address counts with all of its /64, which is what one household or machine is given. */
function keyOf(source: string): string | undefined {
  if (source === "" || source === "::1" || source.startsWith("127.")) return undefined;
  return source.includes(":") ? prefixOf(source) : source;
}

/** The first four of the eight groups, each without leading zeros. */
function prefixOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail ?? "")];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
