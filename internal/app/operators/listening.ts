import type { Clock } from "../../base/clock.ts";
import { ListenError } from "../../rpc/listen-address.ts";

/** Streams are ended when a drain is over; so long their statuses may take to get out before connections are cut, in ms. */
const LAST_WORDS_MS = 250;

/** Says which setting to change where an address cannot be bound. */
export async function bound<T>(setting: string, bind: () => Promise<T>): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    throw error instanceof ListenError
      ? new ListenError(`${setting}: ${error.message}`, { cause: error })
      : error;
  }
}

/**
 * Has listeners accept nothing more, and waits until every call and stream has ended, at most `drainMs` and what their
 * last words take.
 */
export async function untilIdle(
  clock: Clock,
  drainMs: number,
  listeners: readonly { drain(): Promise<void> }[],
): Promise<void> {
  const idle = Promise.all(listeners.map((listener) => listener.drain()));
  await new Promise<void>((resolve) => {
    const cancel = clock.after(drainMs + LAST_WORDS_MS, resolve);
    idle.then(() => {
      cancel();
      resolve();
    });
  });
}
