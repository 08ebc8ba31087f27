import type { HandOff, Publication } from "../../../base/publication.ts";
import { HAND_OFF_MUTANTS } from "./hand-off-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { type Method, replacing } from "./replacing.ts";

/** True for every so many-th call. */
function every(count: number): () => boolean {
  let calls = 0;
  return () => ++calls % count === 0;
}

/** Broken variants, each of which some seed must find. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  ...HAND_OFF_MUTANTS,
  "an entry in eight is not published": {
    publishes: (channel) =>
      replacing(channel, "publish", (publish) => {
        const isDue = every(8);
        return ((publication: Publication): HandOff => {
          if (publication.kind !== "entry" || !isDue()) return publish(publication as never) as HandOff;
          return { subscribed: publication.topics.map(() => true) };
        }) as Method;
      }),
  },
  "an append in forty is acknowledged and not stored": {
    logs: (logs) =>
      replacing(logs, "checkAndPut", (put) => {
        const isDue = every(40);
        return ((...values: never[]) => (isDue() ? Promise.resolve(true) : put(...values))) as Method;
      }),
  },
  "a touch in three is not written": {
    rows: (rows) =>
      replacing(rows, "touch", (touch) => {
        const isDue = every(3);
        return ((...values: never[]) => (isDue() ? Promise.resolve() : touch(...values))) as Method;
      }),
  },
  "read positions are not written": {
    logs: (logs) =>
      replacing(
        logs,
        "put",
        (put) =>
          ((...values: never[]) =>
            (values as unknown[])[1] === "r" ? Promise.resolve() : put(...values)) as Method,
      ),
  },
};
