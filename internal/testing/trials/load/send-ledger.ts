/** Where the server says a send is. */
export interface Place {
  /** In hex. */
  readonly threadId: string;
  readonly seq: number;
  /** Unix ms by the server's clock: a repeat must be told the same. */
  readonly createdAtMs: number;
}

/** What one try is said on: a stream, or a call. It is known by being itself. */
export type Lane = object;

/** What is known of one send, by its client_id. */
interface Fate {
  /** The device that sends it: the only one that its answers are for. */
  readonly device: string;
  /** Lanes on which a try has no answer yet. */
  readonly open: Set<Lane>;
  /** A try was lost without an answer, and nothing is known yet. */
  isUnknown: boolean;
  /** That happened at a kill. */
  isByKill: boolean;
  /** Kills before its first try. */
  readonly firstTriedAfter: number;
  /** Where it is, once the sending device knows. */
  place?: Place;
  /** It will never be in the log. */
  isNever: boolean;
}

/**
 * Keeps account of sends as they pass on the wire, from every sender: what was tried, answered, lost, and found out
 * later. What contradicts an earlier answer is a breach.
 */
export class SendLedger {
  /** What a test asserts that it has met, and prints: a trial in which nothing was in flight has shown nothing. */
  readonly counts = {
    kills: 0,
    inFlightAtKills: 0,
    /** Sends, each once. */
    acknowledged: 0,
    /** Answers that said `duplicate`. */
    duplicates: 0,
    /** Of those, first tried at a server that was killed since: it knew them from its disk. */
    duplicatesAcrossKills: 0,
    unknowns: 0,
    unknownsResolved: 0,
    /** Of those, unknown because of a kill. */
    resolvedAfterKills: 0,
    sealed: 0,
  };
  /** Answers that contradict others, in words. Empty: all is well. */
  readonly breaches: string[] = [];
  /** By client_id in hex. */
  readonly #fates = new Map<string, Fate>();
  readonly #changed: () => void;

  /** `changed` is called after each answer. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  /** A try of a device is about to leave. */
  tried(clientId: string, device: string, lane: Lane): void {
    const fate = this.#fates.get(clientId) ?? {
      device,
      open: new Set(),
      isUnknown: false,
      isByKill: false,
      firstTriedAfter: this.counts.kills,
      isNever: false,
    };
    this.#fates.set(clientId, fate);
    fate.open.add(lane);
  }

  /**
   * The server told a device its place: `accepted`, ResolveSend, or the user's own entry on a live stream. Another
   * device of the user's learns by that nothing that the sending one knows: it only bears witness.
   */
  placed(clientId: string, device: string, place: Place, isDuplicate = false): void {
    const fate = this.#fates.get(clientId);
    if (!fate) {
      this.breaches.push(`${clientId} was answered and never sent`);
      return;
    }
    if (fate.place && told(fate.place) !== told(place)) {
      this.breaches.push(`${clientId} was told ${told(fate.place)} and then ${told(place)}`);
    }
    if (fate.isNever) this.breaches.push(`${clientId} was called never and then ${told(place)}`);
    if (fate.device !== device) return;
    fate.open.clear();
    this.#known(fate);
    if (isDuplicate) this.counts.duplicates += 1;
    if (isDuplicate && fate.firstTriedAfter < this.counts.kills) this.counts.duplicatesAcrossKills += 1;
    if (!fate.place) this.counts.acknowledged += 1;
    fate.place = place;
    this.#changed();
  }

  /** It is surely not in the log: `committed=never`, or sealed. */
  never(clientId: string): void {
    const fate = this.#fates.get(clientId);
    if (!fate) return;
    if (fate.place) this.breaches.push(`${clientId} was told ${told(fate.place)} and then never`);
    if (!fate.isNever) this.counts.sealed += 1;
    fate.isNever = true;
    fate.open.clear();
    this.#known(fate);
    this.#changed();
  }

  /** A try was answered with what settles nothing. */
  refused(clientId: string, lane: Lane): void {
    const fate = this.#fates.get(clientId);
    if (fate?.open.delete(lane)) this.#unknown(fate);
  }

  /** A lane ended: what it did not answer is unknown. */
  lost(lane: Lane): void {
    for (const fate of this.#fates.values()) if (fate.open.delete(lane)) this.#unknown(fate);
    this.#changed();
  }

  /** The server is killed now. Returns how many sends it leaves without an answer. */
  killed(): number {
    let inFlight = 0;
    for (const fate of this.#fates.values()) {
      if (fate.open.size === 0) continue;
      inFlight += 1;
      fate.isByKill = true;
    }
    this.counts.kills += 1;
    this.counts.inFlightAtKills += inFlight;
    return inFlight;
  }

  /** Sends of which it is not known what became of them. */
  unknown(): readonly string[] {
    const unknown = [...this.#fates].filter(([, fate]) => fate.isUnknown || fate.open.size > 0);
    return unknown.map(([clientId]) => clientId);
  }

  /** Every acknowledged send. */
  *places(): Iterable<readonly [string, Place]> {
    for (const [clientId, { place }] of this.#fates) if (place) yield [clientId, place];
  }

  /** Every send that the server has promised not to commit. */
  *nevers(): Iterable<string> {
    for (const [clientId, { isNever }] of this.#fates) if (isNever) yield clientId;
  }

  #unknown(fate: Fate): void {
    if (fate.isUnknown || fate.place) return;
    fate.isUnknown = true;
    this.counts.unknowns += 1;
  }

  #known(fate: Fate): void {
    if (fate.isUnknown) this.counts.unknownsResolved += 1;
    if (fate.isUnknown && fate.isByKill) this.counts.resolvedAfterKills += 1;
    fate.isUnknown = false;
    fate.isByKill = false;
  }
}

function told({ threadId, seq, createdAtMs }: Place): string {
  return `${threadId}/${seq} at ${createdAtMs}`;
}
