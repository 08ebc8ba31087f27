import { writeSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type Heddle, startHeddle } from "../../../app/all-in-one.ts";
import { verifyFolder } from "../../../app/care/verify.ts";
import { developmentConfig } from "../../../app/settings/config.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { DataFolderError } from "../../../store/data-folder-error.ts";
import { devTokens } from "../programs/heddle-process.ts";
import { flippedText, flippedTo } from "./flipped-data.ts";

// A process of its own, for a flipped bit may end it: data folder, file's name in it, how many bits. Prints a line of
// JSON before each try and one after it, and one when all were tried.
const [source = "", name = "", times = "1"] = process.argv.slice(2);
const bytes = await readFile(join(source, name));
for (let nth = 0; nth < Number(times); nth++) {
  const at = Math.floor((bytes.length * (nth + 0.5)) / Number(times));
  // Every try flips another bit, in another part of the file.
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (nth % 8));
  say({ trying: `bit ${nth % 8} of byte ${at}` });
  const [looked, started] = [`${source}.looked`, `${source}.started`];
  for (const copy of [looked, started]) {
    await rm(copy, { recursive: true, force: true });
    await cp(source, copy, { recursive: true });
    await writeFile(join(copy, name), flipped);
  }
  const { problems } = await verifyFolder(looked, () => {});
  say({ isFound: problems.length > 0, outcomes: await outcomesOf(started) });
}
say({ done: true });

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** What a start on the folder says to those who read, each outcome once; or that there was none. */
async function outcomesOf(dataDir: string): Promise<readonly string[]> {
  let heddle: Heddle | undefined;
  try {
    heddle = await startHeddle(developmentConfig(dataDir, { drainMs: 0, logLevel: "fatal" }));
    return [...new Set(await readAll(heddle))];
  } catch (error) {
    return [!heddle && error instanceof DataFolderError ? "refused at start" : String(error)];
  } finally {
    await heddle?.close();
  }
}

/** Every page, up and down. What they say, or why they are refused. */
async function readAll({ webUrl }: Heddle): Promise<readonly string[]> {
  const authorization = `Bearer ${(await devTokens(webUrl, ["ann"])).ann}`;
  const transport = createConnectTransport({
    baseUrl: webUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", authorization);
        return next(request);
      },
    ],
  });
  const messages = createClient(MessageService, transport);
  const threadId = directThreadId("ann", "bob");
  const outcomes: string[] = [];
  const pages = [0, 20, 40, 60, 80].flatMap((seq) => [
    { first: seq + 1, position: { case: "afterSeq" as const, value: BigInt(seq) } },
    { first: Math.max(1, seq - 9), position: { case: "beforeSeq" as const, value: BigInt(seq + 11) } },
  ]);
  for (const { first, position } of pages) {
    try {
      const { entries } = await messages.listEntries({ threadId, position, pageSize: 20 });
      const texts = entries.map(
        ({ seq, body }) => `${seq} ${body?.kind.case === "text" ? body.kind.value.text : ""}`,
      );
      const length = position.case === "beforeSeq" ? Number(position.value) - first : flippedTo - first + 1;
      const expected = Array.from({ length: Math.min(20, length) }, (_, nth) => first + nth);
      const isWhole = entries.map(({ seq }) => Number(seq)).join() === expected.join();
      const isSame = texts.join() === expected.map((seq) => `${seq} ${flippedText(seq)}`).join();
      outcomes.push(
        isSame ? "whole" : isWhole ? "another text" : `a hole in ${entries.map(({ seq }) => seq)}`,
      );
    } catch (error) {
      outcomes.push(String(error));
    }
  }
  return outcomes;
}
