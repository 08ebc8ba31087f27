import type { Clock } from "../../base/clock.ts";
import { CHANNEL_ANSWER_MS, type ChannelAnswer } from "../../base/publication.ts";
import { afterTurns } from "../../stream/turns.ts";

/**
 * The answer; undefined if the instance cannot be reached, or does not answer within CHANNEL_ANSWER_MS. Time in which
 * this process stood still does not count: nothing is refused while an instance answers.
 */
export function answerInTime(
  clock: Clock,
  ask: () => ChannelAnswer | Promise<ChannelAnswer>,
): Promise<ChannelAnswer | undefined> {
  return new Promise((resolve) => {
    const cancel = afterTurns(clock, CHANNEL_ANSWER_MS, () => resolve(undefined));
    const settle = (answer: ChannelAnswer | undefined) => {
      cancel();
      resolve(answer);
    };
    const asking = async () => ask(); // What throws at once rejects.
    asking().then(settle, () => settle(undefined));
  });
}
