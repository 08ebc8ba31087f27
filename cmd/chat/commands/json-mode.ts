import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { asHeddleError, type Client } from "../../../client/index.ts";
import { untilServerKnown, waitSignal } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { connectionProblem, EXIT, fateOfKept } from "../exit-code.ts";
import { inputLines } from "../lines/input-lines.ts";
import { eventJson, type JsonLine, parseRequest } from "../lines/json-lines.ts";
import { PipedSends } from "./piped-sends.ts";
import { watchRecent } from "./recent-watch.ts";

/** Where JSON lines come from and go to: the standard streams, or those of a test. */
export interface JsonStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * One object a line, both ways: what happens on the output, what to do on the input, which is read as fast as what it
 * sends can go. `endsWithInput`: when the input ends, waits for the outcome of every send and ends; else only the end of
 * the client ends it.
 */
export async function jsonMode(
  client: Client,
  settings: Settings,
  { input, output }: JsonStreams,
  endsWithInput: boolean,
): Promise<number> {
  const end = new AbortController();
  const printed = printEvents(client, output, end.signal);
  const lines = new JsonLines(client, output, endsWithInput ? settings.waitMs : undefined);
  // Nothing is read before: what is sent is composed for the data that the server has.
  const isKnown = untilServerKnown(client, waitSignal(settings));
  // An input that breaks has ended.
  const ended = isKnown.then(() => lines.read(input)).catch(() => {});
  let exitCode: number = EXIT.well;
  const finished = ended.then(async () => {
    if (!endsWithInput) return await printed;
    // The worst of both: a line that failed (1), and something left unsent (3).
    exitCode = (await lines.settled())
      ? lines.exitCode
      : Math.max(lines.exitCode, connectionProblem(client.state, settings).exitCode);
  });
  await Promise.race([printed, finished]);
  end.abort();
  await printed;
  // An open input would keep the program alive.
  input.destroy();
  if (client.state.phase === "signed-out" && client.state.reason?.kind !== "closed") return EXIT.failed;
  return exitCode;
}

/**
 * Carries out the lines of an input. They start in order; a line does not wait for the outcome of the one before, so
 * that a pipe is not slowed down to one send a round trip.
 */
class JsonLines {
  readonly #client: Client;
  readonly #output: Writable;
  readonly #sends: PipedSends;
  readonly #stopWatching: () => void;
  /** Lines that are being carried out, of which the outcome of a send is no part. */
  readonly #underWay = new Set<Promise<void>>();
  #hasFailed = false;
  /** The first line that was not read for want of room, if one was not. */
  #unread: number | undefined;

  constructor(client: Client, output: Writable, patienceMs: number | undefined) {
    this.#client = client;
    this.#output = output;
    this.#sends = new PipedSends(client, patienceMs);
    this.#stopWatching = watchRecent(client);
  }

  /** The worst of what became of the lines. */
  get exitCode(): number {
    return this.#hasFailed || this.#sends.failed > 0 ? EXIT.failed : EXIT.well;
  }

  /** Reads to the end, or until nothing goes for too long. Rejects as the input does. */
  async read(input: Readable): Promise<void> {
    let number = 0;
    for await (const line of inputLines(input)) {
      number += 1;
      if (line.trim() === "") continue;
      if (!(await this.#sends.room())) {
        this.#unread = number;
        return;
      }
      // Not awaited. The client keeps the order of sends in a thread by the order of the calls.
      const done = this.#carryOut(line, number).finally(() => this.#underWay.delete(done));
      this.#underWay.add(done);
    }
  }

  /** Resolves to whether everything was read, and every outcome is known; if not, says what is left. */
  async settled(): Promise<boolean> {
    await Promise.all(this.#underWay);
    const isSettled = this.#unread === undefined && (await this.#sends.settled());
    if (!isSettled)
      print(this.#output, {
        type: "error",
        message: leftText(this.#client, this.#sends.waiting, this.#unread),
      });
    return isSettled;
  }

  async #carryOut(line: string, number: number): Promise<void> {
    const client = this.#client;
    try {
      const request = parseRequest(line);
      if (request.kind === "send") {
        await this.#sends.add(() => client.send(request.target, request.text));
        return;
      }
      if (request.kind === "watch") {
        this.#stopWatching(); // A line says who is watched from now on.
        client.watch(request.userIds);
        return;
      }
      const { target } = request;
      // A name is asked for each time: the answer is computed from the two ids, nobody is asked.
      const threadId = "to" in target ? (await client.direct(target.to)).threadId : target.threadId;
      if (request.kind === "read") client.markRead(threadId, request.seq);
      else client.typing(threadId);
    } catch (thrown) {
      this.#hasFailed = true;
      print(this.#output, { type: "error", line: number, message: asHeddleError(thrown).message });
    }
  }
}

function leftText({ state, userId }: Client, waiting: number, unread: number | undefined): string {
  const kept = `${waiting} not sent yet; what is kept ${fateOfKept(state, userId)}`;
  return unread === undefined ? kept : `${kept}; the input was not read from line ${unread} on`;
}

/** Prints until the client ends or the signal aborts. A slow reader of the output slows this down, nothing else. */
async function printEvents(client: Client, output: Writable, signal: AbortSignal): Promise<void> {
  for await (const event of client.events(signal)) {
    const line = eventJson(event);
    if (line && !print(output, line)) await once(output, "drain");
    if (event.type === "state" && event.state.phase === "signed-out") return;
  }
}

function print(output: Writable, line: JsonLine): boolean {
  return output.write(`${JSON.stringify(line)}\n`);
}
