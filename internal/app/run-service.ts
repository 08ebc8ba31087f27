import { SettingsError } from "../base/env.ts";
import type { Logger } from "../base/log.ts";
import { ListenError } from "../rpc/listen-address.ts";
import { DataFolderError } from "../store/data-folder-error.ts";

/** Exit codes (docs/design.md, section 12). */
export const EXIT = { well: 0, failed: 1, wrongUse: 2, dependencyAway: 3 } as const;

/** A program that has started. */
export interface Running {
  /** Drains and closes everything. */
  close(): Promise<void>;
}

/**
 * Runs a program until SIGINT or SIGTERM: start, serve, drain. The first signal drains; a second one ends the process
 * at once, with the code of a process that the signal ended. A signal while starting waits for the start and then
 * drains. Resolves to the exit code; what kept the program from starting is one line on stderr that says what to do.
 */
export async function runService<R extends Running>(options: {
  readonly name: string;
  readonly start: () => Promise<{ readonly running: R; readonly log: Logger }>;
  readonly onReady: (running: R) => void;
}): Promise<number> {
  const stopped = firstSignal();
  try {
    const { running, log } = await options.start();
    // Only now: what goes wrong while starting is told as a sentence, below.
    exitOnFault(log);
    options.onReady(running);
    const signal = await stopped;
    log.info({ signal }, "draining");
    await running.close();
    log.info("stopped");
    log.flush();
    return EXIT.well;
  } catch (error) {
    process.stderr.write(`${options.name}: ${startFailure(error)}\n`);
    return error instanceof SettingsError ? EXIT.wrongUse : EXIT.failed;
  }
}

/** The one line (a line per problem for settings) that a person sees when the program cannot start. */
export function startFailure(error: unknown): string {
  if (error instanceof SettingsError) return error.message.replaceAll("\n", "\n  ");
  if (error instanceof ListenError || error instanceof DataFolderError) return error.message;
  return `cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** Resolves at the first SIGINT or SIGTERM. Listens from before the start, for a person may lose patience during it. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    for (const [signal, number] of [
      ["SIGINT", 2],
      ["SIGTERM", 15],
    ] as const) {
      process.on(signal, () => {
        if (seen) process.exit(128 + number);
        seen = true;
        resolve(signal);
      });
    }
  });
}

/** Whatever nobody caught is a defect: the state is unknown, so log and end. Acknowledged messages are on the disk. */
function exitOnFault(log: Logger): void {
  const exit = (error: unknown) => {
    log.fatal({ err: error }, "unexpected fault, exiting");
    log.flush();
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", exit);
  process.on("unhandledRejection", exit);
}
