import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { asHeddleError, type Client, type Send } from "../../client/index.ts";
import { connectionProblem, EXIT } from "./exit-code.ts";
import { eventJson, type JsonLine, parseRequest } from "./json-lines.ts";
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
  const finish = async () => {
    for await (const line of createInterface({ input })) {
      if (line.trim() === "") continue;
      outcomes.push(carryOut(client, line, output));
    }
    if (!endsWithInput) return;
    const codes = await Promise.race([Promise.all(outcomes), timeout(settings.waitMs)]);
    end.abort();
    exitCode = codes
      ? Math.max(EXIT.well, ...codes)
      : connectionProblem(client.state, settings.grpcUrl).exitCode;
  };
  let exitCode: number = EXIT.well;
  await Promise.race([printed, finish().then(() => (endsWithInput ? undefined : printed))]);
  end.abort();
  await printed;
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

/** Resolves to an exit code when the outcome is known. */
async function carryOut(client: Client, line: string, output: Writable): Promise<number> {
  let send: Send;
  try {
    const request = parseRequest(line);
    if (request.kind === "read") {
      const threadId =
        "to" in request.target ? (await client.direct(request.target.to)).threadId : request.target.threadId;
      client.markRead(threadId, request.seq);
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

function timeout(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
