import { type EtcdCounter, goesOnFrom, type Taken } from "./etcd-counter.ts";

/** What a process knows of one service's numbers, and how often they turned out to be of another history. */
export class EtcdHistory {
  #newest: Taken | undefined;
  #number = 0;

  /** Another number: etcd was put back to an older state since. */
  get number(): number {
    return this.#number;
  }

  /** Somebody has taken a number: a registration was answered, or a watch tells of it. */
  heard(taken: Taken): void {
    if (taken.number > (this.#newest?.number ?? 0)) this.#newest = taken;
  }

  /** To be called before a counter is read; the returned function takes what was read. What comes meanwhile is newer. */
  reading(): (counter: EtcdCounter) => void {
    const [known, history] = [this.#newest, this.#number];
    return (counter) => {
      if (known && history === this.#number && !goesOnFrom(counter, known)) {
        this.#number++;
        this.#newest = undefined;
      }
      if (counter[0]) this.heard(counter[0]);
    };
  }
}
