import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { asHeddleError, type Client, type Send } from "../../client/index.ts";
import { connectionProblem, EXIT } from "./exit-code.ts";
import { inputLines } from "./input-lines.ts";
import { eventJson, type JsonLine, parseRequest } from "./json-lines.ts";
import { watchRecent } from "./recent-watch.ts";
import type { Settings } from "./settings.ts";

export interface JsonStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * One object a line, both ways: what happens on the output, what to do on the input. `endsWithInput`: when the input
 * ends, waits for the outcome of every send and ends; else only the end of the client ends it.
 */
export async function jsonMode(
  client: Client,
  settings: Settings,
  { input, output }: JsonStreams,
  endsWithInput: boolean,
): Promise<number> {
  const end = new AbortController();
  const printed = printEvents(client, output, end.signal);
  const outcomes: Promise<number>[] = [];
  const stopWatching = watchRecent(client);
  const read = async () => {
    for await (const line of inputLines(input))
      if (line.trim() !== "") outcomes.push(carryOut(client, line, output, stopWatching));
  };
  // An input that breaks has ended.
  const ended = read().catch(() => {});
  let exitCode: number = EXIT.well;
  const finished = ended.then(async () => {
    if (!endsWithInput) return await printed;
    const codes = await Promise.race([Promise.all(outcomes), timeout(settings.waitMs)]);
    const problem = connectionProblem(client.state, settings.grpcUrl).exitCode;
    exitCode = codes ? Math.max(EXIT.well, ...codes) : problem;
  });
  await Promise.race([printed, finished]);
  end.abort();
  await printed;
  // An open input would keep the program alive.
  input.destroy();
  if (client.state.phase === "signed-out" && client.state.reason?.kind !== "closed") return EXIT.failed;
  return exitCode;
}

/** Prints until the client ends or the signal aborts. A slow reader of the output slows this down, nothing else. */
async function printEvents(client: Client, output: Writable, signal: AbortSignal): Promise<void> {
  for await (const event of client.events(signal)) {
    const line = eventJson(event);
    if (line && !print(output, line)) await once(output, "drain");
    if (event.type === "state" && event.state.phase === "signed-out") return;
  }
}

/** Resolves to an exit code when the outcome is known. `onWatch`: a line says who is watched from now on. */
async function carryOut(
  client: Client,
  line: string,
  output: Writable,
  onWatch: () => void,
): Promise<number> {
  let send: Send;
  try {
    const request = parseRequest(line);
    if (request.kind === "watch") {
      onWatch();
      client.watch(request.userIds);
      return EXIT.well;
    }
    if (request.kind !== "send") {
      const threadId =
        "to" in request.target ? (await client.direct(request.target.to)).threadId : request.target.threadId;
      if (request.kind === "read") client.markRead(threadId, request.seq);
      else client.typing(threadId);
      return EXIT.well;
    }
    send = await client.send(request.target, request.text);
  } catch (thrown) {
    print(output, { type: "error", message: asHeddleError(thrown).message });
    return EXIT.failed;
  }
  return await send.outcome().then(
    () => EXIT.well,
    () => EXIT.failed,
  );
}

function print(output: Writable, line: JsonLine): boolean {
  return output.write(`${JSON.stringify(line)}\n`);
}

/** Does not keep the program alive: when all is said it ends at once. */
function timeout(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
