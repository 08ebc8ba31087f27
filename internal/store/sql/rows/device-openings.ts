import type { Clock } from "../../../base/clock.ts";

/** How long the time of an opening may wait to be written, in ms. */
const WRITE_AFTER_MS = 1_000;

/** Openings that wait; at so many they are written at once, so that no commit takes longer than some milliseconds. */
const MAX_WAITING = 1_000;

export interface Opening {
  readonly ownerId: string;
  readonly deviceId: string;
  /** How long ago that was, when it is written: the store knows what time it is, this process does not. */
  readonly ageMs: number;
}

interface Noted {
  readonly ownerId: string;
  readonly deviceId: string;
  /** By the monotonic clock. */
  readonly atMs: number;
}

/**
 * When known devices were last used, on its way into their rows. A person who looks at a list is told it, and it decides
 * which device makes room for a new one, which that one may undo by opening again. So it waits for the others of its
 * second, and is lost when the process dies (those that then had a stream come back at once, and are noted anew): a commit for each would make
 * a thousand clients that come back cost a thousand syncs, each of which holds up the event loop.
 */
export class DeviceOpenings {
  readonly #clock: Clock;
  readonly #write: (openings: readonly Opening[]) => Promise<void>;
  #waiting = new Map<string, Noted>();
  #isTimed = false;

  /** `write` gets what has waited, each device once, and does not reject. */
  constructor(clock: Clock, write: (openings: readonly Opening[]) => Promise<void>) {
    this.#clock = clock;
    this.#write = write;
  }

  note(ownerId: string, deviceId: string): void {
    this.#waiting.set(nameOf(ownerId, deviceId), { ownerId, deviceId, atMs: this.#clock.monotonicMs() });
    if (this.#waiting.size >= MAX_WAITING) void this.flush();
    else if (!this.#isTimed) {
      this.#isTimed = true;
      this.#clock.after(WRITE_AFTER_MS, () => {
        this.#isTimed = false;
        void this.flush();
      });
    }
  }

  /** How long ago one device was used, where that waits: later than what its row says. In whole ms. */
  ageMs(ownerId: string, deviceId: string): number | undefined {
    const noted = this.#waiting.get(nameOf(ownerId, deviceId));
    return noted && this.#age(noted);
  }

  /** Hands over what waits. Resolves when it has been written. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const openings = [...this.#waiting.values()].map((noted) => {
      return { ownerId: noted.ownerId, deviceId: noted.deviceId, ageMs: this.#age(noted) };
    });
    this.#waiting = new Map();
    await this.#write(openings);
  }

  #age({ atMs }: Noted): number {
    return Math.round(this.#clock.monotonicMs() - atMs);
  }
}

/** No id contains a blank. */
function nameOf(ownerId: string, deviceId: string): string {
  return `${ownerId} ${deviceId}`;
}
