import { sleep } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import { fromHex } from "../../base/ids.ts";
import type { Mirror } from "../../registry/mirror.ts";
import type { Registered } from "../../registry/registry.ts";
import { DependencyAway } from "../run-service.ts";
import type { Program } from "./program.ts";

/** How often it is looked whether a message server is there, in ms. */
const LOOK_MS = 50;

export interface ToldHistory {
  readonly history: History;
  /** Resolves to why a push server has to start anew: its clients' streams are of another history. */
  readonly over: Promise<string>;
}

/**
 * Which data the mesh serves, for a program without rows: message servers say it where they register. Of several that
 * differ the one that registered last counts. Rejects with DependencyAway after `waitMs`.
 */
export async function toldHistory(program: Program, waitMs: number): Promise<ToldHistory> {
  const { clock, neighbours, stopped } = program;
  const mirror = neighbours.mirror("message");
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const first = newest(mirror);
    if (first) return { history: historyOf(first), over: otherHistory(mirror, first) };
    if (clock.monotonicMs() >= endMs) throw new DependencyAway("no message server is registered: start one");
    await sleep(clock, LOOK_MS, stopped).catch(() => {
      throw new DependencyAway("stopped before a message server was registered");
    });
  }
}

function otherHistory(mirror: Mirror, first: Registered): Promise<string> {
  return new Promise((resolve) => {
    const stop = mirror.onChange(() => {
      const now = newest(mirror);
      if (!now || isSame(now, first)) return;
      stop();
      resolve("message servers serve another history: a copy was put back, or a standby was promoted");
    });
  });
}

function newest(mirror: Mirror): Registered | undefined {
  const told = mirror.view().members.filter(({ details }) => details?.deployment !== undefined);
  return told.toSorted((a, b) => b.incarnation - a.incarnation)[0];
}

function isSame({ details: a = {} }: Registered, { details: b = {} }: Registered): boolean {
  return ["deployment", "log_epoch", "rows_era"].every((name) => a[name] === b[name]);
}

function historyOf({ details = {} }: Registered): History {
  return { deploymentId: fromHex(details.deployment ?? ""), logEpoch: Number(details.log_epoch) };
}
