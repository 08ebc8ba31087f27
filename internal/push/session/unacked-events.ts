interface Sent {
  readonly number: number;
  /** The thread of an entry that somebody else sent, in hex; "" for every other event. */
  readonly thread: string;
  readonly seq: number;
}

/** What an ack is for beyond credit: the entries that it covers have reached the device. */
export type Covered = (thread: string, seq: number) => void;

/**
 * The events sent that need credit and are not acknowledged: at most CREDIT_EVENTS, so it is a short list. It keeps
 * numbers and positions and never bytes: what the client does not acknowledge must not hold memory.
 */
export class UnackedEvents {
  #sent: Sent[] = [];

  get count(): number {
    return this.#sent.length;
  }

  add(number: number, thread: string, seq: number): void {
    this.#sent.push({ number, thread, seq });
  }

  /** Drops the events up to and with that number, and names the entries among them, in the order sent. */
  ack(upTo: number, covered: Covered): void {
    let count = 0;
    for (const { number, thread, seq } of this.#sent) {
      if (number > upTo) break;
      count++;
      if (thread !== "") covered(thread, seq);
    }
    if (count > 0) this.#sent = this.#sent.slice(count);
  }
}
