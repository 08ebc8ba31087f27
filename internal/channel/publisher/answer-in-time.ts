import type { Clock } from "../../base/clock.ts";
import type { ChannelAnswer } from "../../base/publication.ts";

/** How long an instance is waited for, in ms: many times what a living one takes, and two such tries are not felt. */
export const ANSWER_MS = 250;

/** The answer; undefined if the instance cannot be reached, or does not answer within ANSWER_MS. */
export function answerInTime(
  clock: Clock,
  ask: () => ChannelAnswer | Promise<ChannelAnswer>,
): Promise<ChannelAnswer | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(ANSWER_MS, () => resolve(undefined));
    const settle = (answer: ChannelAnswer | undefined) => {
      cancel();
      resolve(answer);
    };
    const asking = async () => ask(); // What throws at once rejects.
    asking().then(settle, () => settle(undefined));
  });
}
