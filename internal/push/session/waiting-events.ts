import type { Publication } from "../../base/publication.ts";
import { highestReceipt } from "./highest-receipt.ts";

/** Live events that wait for room on one stream, in order. They share their bytes with all other streams. */
export class WaitingEvents {
  #events: Publication[] = [];
  #bytes = 0;

  get count(): number {
    return this.#events.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  addEvent(event: Publication): void {
    this.#events.push(event);
    this.#bytes += event.frame.length;
  }

  /** The bytes that `replace` would add, below zero if it takes some away; undefined if there is nothing to replace. */
  growth(event: Publication): number | undefined {
    const older = this.#events.find((one) => isReplacedBy(one, event));
    return older && inPlaceOf(older, event).frame.length - older.frame.length;
  }

  /** Puts the event in the place of the one that it makes needless. */
  replace(event: Publication): void {
    this.#bytes += this.growth(event) ?? 0;
    this.#events = this.#events.map((one) => (isReplacedBy(one, event) ? inPlaceOf(one, event) : one));
  }

  /** Removes and returns the entries of a thread. */
  removeEntries(thread: string): Publication[] {
    return this.removeEvents((one) => one.kind === "entry" && one.thread === thread);
  }

  /** Removes and returns those of which `isGone` is true. */
  removeEvents(isGone: (event: Publication) => boolean): Publication[] {
    const removed = this.#events.filter(isGone);
    if (removed.length > 0) {
      this.#events = this.#events.filter((one) => !isGone(one));
      this.#bytes -= bytesOf(removed);
    }
    return removed;
  }

  removeAll(): Publication[] {
    return this.takeEvents(this.#events.length, Number.POSITIVE_INFINITY);
  }

  /** Removes and returns the oldest ones: at most `count`, together at most `bytes`. */
  takeEvents(count: number, bytes: number): Publication[] {
    let taken = 0;
    let room = bytes;
    for (const { frame } of this.#events) {
      room -= frame.length;
      if (taken === count || room < 0) break;
      taken++;
    }
    const leaving = this.#events.splice(0, taken);
    this.#bytes -= bytesOf(leaving);
    return leaving;
  }
}

function bytesOf(events: readonly Publication[]): number {
  return events.reduce((sum, event) => sum + event.frame.length, 0);
}

/** What waits in the place of the older one: of a receipt the higher of each position, of all else the newer one. */
function inPlaceOf(older: Publication, newer: Publication): Publication {
  return newer.kind === "receipt" ? highestReceipt(older, newer) : newer;
}

/** Of receipts, rows and `typing` one is enough, per thread and user. */
function isReplacedBy(older: Publication, newer: Publication): boolean {
  return older.kind === newer.kind && older.thread === newer.thread && older.userId === newer.userId;
}
