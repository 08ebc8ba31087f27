import { type ChildProcess, fork } from "node:child_process";
import type { Manner, Played } from "./played.ts";

/** What a process that plays seeds is asked. */
export interface Job {
  readonly seed: number;
  readonly manner: Manner;
}

/** Plays seeds in so many processes, each given another when it has played one; what they played, as it comes. */
export async function* playedByJobs(
  main: string,
  jobs: number,
  seeds: readonly number[],
  manner: Manner,
): AsyncGenerator<Played> {
  const left = [...seeds];
  const done: (Played | Error)[] = [];
  let wake = () => {};
  const put = (what: Played | Error) => {
    done.push(what);
    wake();
  };
  const giveNext = (child: ChildProcess) => {
    const seed = left.shift();
    if (seed === undefined) child.disconnect();
    else child.send({ seed, manner } satisfies Job);
  };
  const children = Array.from({ length: Math.min(jobs, seeds.length) }, () => fork(main, ["--worker"]));
  for (const child of children) {
    child.on("message", (played: Played) => {
      put(played);
      giveNext(child);
    });
    child.on("exit", (code) => code && put(new Error(`a process of seeds ended with ${code}`)));
    giveNext(child);
  }
  try {
    for (let given = 0; given < seeds.length; given++) {
      while (done.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const next = done.shift() as Played | Error;
      if (next instanceof Error) throw next;
      yield next;
    }
  } finally {
    for (const child of children) child.kill();
  }
}

/** This process is one of them: plays what it is asked until nobody asks. */
export function workFor(play: (job: Job) => Promise<Played>): void {
  process.on("message", (job: Job) => void play(job).then((played) => process.send?.(played)));
}
