import { SettingsError } from "../base/env.ts";
import type { Logger } from "../base/log.ts";
import { ListenError } from "../rpc/listen-address.ts";
import { DataFolderError } from "../store/data-folder-error.ts";
import { DatabaseError } from "../store/database-error.ts";

/** Exit codes (docs/design.md, section 12). */
export const EXIT = { well: 0, failed: 1, wrongUse: 2, dependencyAway: 3 } as const;

/** What the program needs does not answer. The message is one line that says what to do. */
export class DependencyAway extends Error {
  override readonly name = "DependencyAway";
}

/** How long the last words of a program may take that has closed all, in ms. */
const LAST_WORDS_MS = 3_000;

/** A program that has started. */
export interface Running {
  /** Drains and closes everything. */
  close(): Promise<void>;
  /** Resolves to why it has to be closed and started anew, in a sentence; never where it need not. */
  readonly over: Promise<string>;
}

/**
 * Runs a program until SIGINT or SIGTERM: start, serve, drain. The first signal drains; a second one ends the process
 * at once, with the code of a process that the signal ended. A signal while starting aborts `stopped`, waits for the
 * start, and then drains. One that is over is closed and started `again`, where it was. Resolves to the exit code; what
 * kept the program from starting is one line on stderr that says what to do.
 */
export async function runService<R extends Running>(options: {
  readonly name: string;
  readonly start: (stopped: AbortSignal, again?: R) => Promise<{ readonly running: R; readonly log: Logger }>;
  readonly onReady: (running: R) => void;
}): Promise<number> {
  const { signal, stopped } = firstSignal();
  // Nothing else does while a start waits: timers of the clock let a process end.
  const alive = setInterval(() => {}, 1 << 30);
  try {
    let { running, log } = await options.start(stopped);
    // Only now: what goes wrong while starting is told as a sentence, below.
    exitOnFault(() => log);
    options.onReady(running);
    for (;;) {
      const why = await Promise.race([signal.then(() => undefined), running.over]);
      if (why === undefined) break;
      log.warn({ why }, "starting anew");
      await running.close();
      ({ running, log } = await options.start(stopped, running));
    }
    log.info({ signal: await signal }, "draining");
    await running.close();
    log.info("stopped");
    log.flush();
    endAnyway(log);
    return EXIT.well;
  } catch (error) {
    process.stderr.write(`${options.name}: ${startFailure(error)}\n`);
    if (isAway(error)) return EXIT.dependencyAway;
    return error instanceof SettingsError ? EXIT.wrongUse : EXIT.failed;
  } finally {
    clearInterval(alive);
  }
}

/**
 * The process ends by itself when all is closed and its last words are out. What still holds it then is a defect, and no
 * reason to wait until somebody kills it: it is named, and the process ends.
 */
function endAnyway(log: Logger): void {
  const end = () => {
    log.warn({ held: process.getActiveResourcesInfo() }, "something that was not closed held the program");
    log.flush();
    process.exit(EXIT.well);
  };
  setTimeout(end, LAST_WORDS_MS).unref();
}

/** The one line (a line per problem for settings) that a person sees when the program cannot start. */
export function startFailure(error: unknown): string {
  if (error instanceof SettingsError) return error.message.replaceAll("\n", "\n  ");
  for (const kind of [ListenError, DataFolderError, DatabaseError, DependencyAway]) {
    if (error instanceof kind) return error.message;
  }
  return `cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function isAway(error: unknown): boolean {
  return error instanceof DependencyAway || (error instanceof DatabaseError && error.isAway);
}

/** The first SIGINT or SIGTERM. Listens from before the start, for a person may lose patience during it. */
function firstSignal(): { readonly signal: Promise<NodeJS.Signals>; readonly stopped: AbortSignal } {
  const stopped = new AbortController();
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const [name, number] of [
      ["SIGINT", 2],
      ["SIGTERM", 15],
    ] as const) {
      process.on(name, () => {
        if (stopped.signal.aborted) process.exit(128 + number);
        stopped.abort();
        resolve(name);
      });
    }
  });
  return { signal, stopped: stopped.signal };
}

/** Whatever nobody caught is a defect: the state is unknown, so log and end. Acknowledged messages are on the disk. */
function exitOnFault(current: () => Logger): void {
  const exit = (error: unknown) => {
    const log = current();
    log.fatal({ err: error }, "unexpected fault, exiting");
    log.flush();
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", exit);
  process.on("unhandledRejection", exit);
}
