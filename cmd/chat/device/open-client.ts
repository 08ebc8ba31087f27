import type { Client, ConnectionState } from "../../../client/index.ts";
import { FileStorage } from "../../../client/storage/file-storage.ts";
import { ChatError, connectionProblem, EXIT } from "../exit-code.ts";
import { renewDevice, takeSlot } from "./device-slot.ts";
import { type Leftovers, sendLeftovers } from "./leftovers.ts";
import { ProblemLines } from "./problem-lines.ts";
import type { Settings } from "./settings.ts";
import { connectSlot } from "./slot-client.ts";
import { findStateFolder } from "./state-folder.ts";

/** A client and what it stands on. */
export interface OpenClient {
  readonly client: Client;
  /** Says so if another run has the user's first device here; undefined for the first. To be shown before all else. */
  readonly notice: string | undefined;
  /** The next run on this state is another device: this one was signed out, for ever. */
  readonly renewDevice: () => Promise<void>;
  /** Resolves to whether all that other runs left to send is out, or to false when the command has waited too long. */
  readonly leftoversOut: (late: AbortSignal) => Promise<boolean>;
  /** What goes wrong with what other runs left, at any time. */
  readonly problems: ProblemLines;
}

/**
 * Runs `use` with a client of the user's, and closes it whatever happens; then the next run finds everything written
 * and the folder free. `renews`: the person signs in anew, so what a device left that was signed out goes out as
 * another's. Rejects as `use` does, or with ChatError.
 */
export async function withClient<T>(
  given: Settings,
  use: (open: OpenClient) => Promise<T>,
  { renews = false } = {},
): Promise<T> {
  const settings = { ...given, stateFolder: await findStateFolder(given) };
  const slot = await takeSlot(settings.stateFolder);
  // Timers of the library do not keep a process alive; this program decides itself when it ends.
  const alive = setInterval(() => {}, 60_000);
  const end = new AbortController();
  const problems = new ProblemLines();
  const stop = () => end.abort();
  // The first signal ends things in order, a second one at once.
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const storage = await FileStorage.open(slot.folder).catch((fault: Error) => {
      throw new ChatError(EXIT.failed, `cannot keep state in ${slot.folder}: ${fault.message}`);
    });
    const client = await connectSlot(settings, slot, storage, { signal: end.signal });
    const notice =
      slot.number > 1
        ? `${settings.userId} is chatting here already; this is device ${slot.number}`
        : undefined;
    let leftovers: Leftovers | undefined;
    try {
      // Only one run does it, and the first is the one that there always is.
      if (slot.number === 1)
        leftovers = await sendLeftovers(settings, { renews, onProblem: (text) => problems.say(text) });
      const { areOut = Promise.resolve(true) } = leftovers ?? {};
      const leftoversOut = (late: AbortSignal) => Promise.race([areOut, ended(late)]);
      return await use({
        client,
        notice,
        renewDevice: () => renewDevice(slot.folder),
        leftoversOut,
        problems,
      });
    } finally {
      await leftovers?.stop();
      await client.close();
    }
  } finally {
    clearInterval(alive);
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await slot.release();
  }
}

/** Resolves to false when the signal is aborted. */
function ended(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener("abort", () => resolve(false), { once: true });
  });
}

/**
 * Aborts when a command has waited for the server for as long as the settings say. `--wait 0` waits 1 ms: what is known
 * already is used.
 */
export function waitSignal({ waitMs }: Settings): AbortSignal {
  return AbortSignal.timeout(Math.max(1, waitMs));
}

/**
 * Waits until the server has told which data it has, or is known not to answer now; at most until `late`. What a command
 * sends is composed after it, so that it is written for the data of now, and not for that of an earlier run: only a
 * device that is offline queues for what it knew last. Never rejects.
 */
export async function untilServerKnown(client: Client, late: AbortSignal): Promise<void> {
  const isUnderWay = ({ phase, reason }: ConnectionState) =>
    phase === "connecting" || phase === "backfilling" || reason?.kind === "starting";
  while (isUnderWay(client.state) && !late.aborted) {
    for await (const event of client.events(late)) if (event.type === "state") break;
  }
}

/**
 * Waits until the client is live, for as long as --wait says. Rejects with ChatError, the one line that says why it is
 * not.
 */
export async function waitUntilLive(client: Client, settings: Settings): Promise<void> {
  const late = waitSignal(settings);
  try {
    await client.ready(late);
  } catch {
    throw connectionProblem(client.state, settings);
  }
}
