/**
 * One of the places that the tabs of this browser share. A browser opens at most six HTTP/1.1 connections to an
 * origin, and each session holds one for its stream: with five sessions one is left for everything else, with six the
 * next request would hang for ever, without a word. So a tab takes a slot before it opens a session.
 */
export interface Slot {
  /**
   * 1 … SLOT_COUNT, or 0 where the browser denies the page its locks, and with them all that tabs could share. Part of the
   * device id: tabs of one user are devices of their own and never end each other's session.
   */
  readonly number: number;
  release(): void;
}

/** Sessions that may be open at a time in one browser. */
export const SLOT_COUNT = 5;

/** How long a reloaded page waits for the slot that it had: the page before it is just going away. */
const COME_BACK_MS = 500;

/** A wish for a slot, and what happens when it is granted. */
export interface SlotRequest {
  /** The browser's lock manager (`navigator.locks`). */
  readonly locks: LockManager;
  /** The slot that this tab had before; taken again if it can be. */
  readonly preferred: number | undefined;
  /** Called once if all slots are taken; from then on the first that gets free is taken. */
  readonly onFull: () => void;
  /** Gives up waiting: the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Takes a slot; waits until one is free. */
export async function takeSlot(request: SlotRequest): Promise<Slot> {
  try {
    return await takeLock(request);
  } catch (error) {
    // Site data is blocked. Each tab then has an installation, and so a device, of its own.
    if ((error as Error).name === "SecurityError") return { number: 0, release: () => {} };
    throw error;
  }
}

async function takeLock(request: SlotRequest): Promise<Slot> {
  const numbers = Array.from({ length: SLOT_COUNT }, (_, at) => at + 1);
  const { preferred } = request;
  if (preferred !== undefined && numbers.includes(preferred)) {
    const slot = await holdWithin(request.locks, preferred, COME_BACK_MS);
    if (slot) return slot;
  }
  for (const number of numbers) {
    const slot = await holdSlot(request.locks, number);
    if (slot) return slot;
  }
  request.onFull();
  return await firstFree(request, numbers);
}

/** The slot of that number if it is free now. */
export function holdSlot(locks: LockManager, number: number): Promise<Slot | undefined> {
  return hold(locks, number, { ifAvailable: true });
}

/** Waits in line for every slot, takes the first, and leaves the other lines. */
async function firstFree({ locks, signal }: SlotRequest, numbers: readonly number[]): Promise<Slot> {
  const others = new AbortController();
  const waiting = AbortSignal.any([signal, others.signal]);
  const lines = numbers.map(async (number) => {
    const slot = await hold(locks, number, { signal: waiting });
    if (!slot) throw new Error("a lock was neither granted nor refused");
    if (waiting.aborted) slot.release(); // Granted in the same moment as another.
    waiting.throwIfAborted();
    // Only now: the locks of the other lines are let go when their requests end.
    others.abort();
    return slot;
  });
  try {
    return await Promise.any(lines);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function holdWithin(locks: LockManager, number: number, ms: number): Promise<Slot | undefined> {
  try {
    return await hold(locks, number, { signal: AbortSignal.timeout(ms) });
  } catch {
    return undefined;
  }
}

/** Resolves when the lock is held (undefined: it was not available); it is until `release`, or the page goes away. */
function hold(locks: LockManager, number: number, options: LockOptions): Promise<Slot | undefined> {
  return new Promise((resolve, reject) => {
    const body = (lock: Lock | null): Promise<void> | undefined => {
      if (!lock) {
        resolve(undefined);
        return undefined;
      }
      return new Promise((release) => resolve({ number, release }));
    };
    locks.request(`heddle-slot-${number}`, options, body).catch(reject);
  });
}
