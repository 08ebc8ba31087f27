/** Which registration took a number: its lease's id tells it from one of another history that took the same. */
export interface Taken {
  readonly number: number;
  readonly lease: string;
}

/** How many registrations a counter remembers: more than come between two lists of a mirror whose watch has ended. */
const REMEMBERED = 64;

/** What stands under a counter's key: who took its numbers, the last one first. Empty before the first. */
export type EtcdCounter = readonly Taken[];

/** The number that was taken last; 0 if none. */
export function numberOf(counter: EtcdCounter): number {
  return counter[0]?.number ?? 0;
}

export function withTaken(counter: EtcdCounter, taken: Taken): EtcdCounter {
  return [taken, ...counter].slice(0, REMEMBERED);
}

/**
 * Whether a counter that is read now goes on from one that was known: an etcd that was put back to an older state has
 * forgotten who took the number, or somebody else has taken it since. Its revision alone does not show it, since that goes
 * on from the older state, and may be past the one that was known when it is looked at.
 */
export function goesOnFrom(counter: EtcdCounter, known: Taken): boolean {
  const there = counter.find(({ number }) => number === known.number);
  if (there) return there.lease === known.lease;
  const oldest = counter.at(-1)?.number ?? 0;
  return counter.length === REMEMBERED && known.number < oldest; // Forgotten in good order: it cannot be told.
}

export function encodeCounter(counter: EtcdCounter): Buffer {
  return Buffer.from(JSON.stringify(counter.map(({ number, lease }) => [number, lease])));
}

/** Empty for no counter, or what nobody of ours has written. */
export function decodeCounter(value: Buffer | undefined): EtcdCounter {
  try {
    const pairs: unknown = JSON.parse(value?.toString() ?? "[]");
    return Array.isArray(pairs) ? pairs.flatMap(takenOf) : [];
  } catch {
    return [];
  }
}

function takenOf(pair: unknown): readonly Taken[] {
  const [number, lease] = Array.isArray(pair) ? pair : [];
  return Number.isSafeInteger(number) && number > 0 && typeof lease === "string" ? [{ number, lease }] : [];
}
