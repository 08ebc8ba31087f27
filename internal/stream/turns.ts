import type { Clock } from "../base/clock.ts";

/** How many turns make up a wait. */
const TURNS = 5;

/**
 * Calls back once when an answer was waited for `ms` in vain; the returned function cancels it. Turns are counted, not
 * time: after a pause of the process its timers come before its input, so one long timer would give up on an answer
 * that is there. However long the pause, it is one turn, and what came meanwhile is read before the next.
 */
export function afterTurns(clock: Clock, ms: number, callback: () => void): () => void {
  let left = TURNS;
  let cancel: () => void;
  const turn = () => {
    if (left-- === 0) callback();
    else cancel = clock.after(ms / TURNS, turn);
  };
  turn();
  return () => cancel();
}
