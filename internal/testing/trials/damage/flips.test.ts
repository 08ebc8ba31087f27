import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type Heddle, startHeddle } from "../../../app/all-in-one.ts";
import { developmentConfig } from "../../../app/settings/config.ts";
import { newUuid } from "../../../base/ids.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { devTokens } from "../programs/heddle-process.ts";
import { flippedText, flippedTo } from "./flipped-data.ts";

/** Bits flipped in each file. */
const FLIPS = 9;

/** A line that the child prints. */
interface Line {
  readonly trying?: string;
  readonly isFound?: boolean;
  readonly outcomes?: readonly string[];
  readonly done?: boolean;
}

describe("A flipped bit in a file of the data folder", function () {
  this.timeout("120s");
  let base: string;
  let folder: string;

  const start = (dataDir: string) =>
    startHeddle(developmentConfig(dataDir, { drainMs: 0, logLevel: "fatal" }));
  const messagesOf = async ({ webUrl }: Heddle) => {
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
    return createClient(MessageService, transport);
  };

  // Two starts: what the first wrote is in a table, what the second wrote in the write-ahead log, in SQLite's too.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-flips-"));
    folder = join(base, "data");
    for (const [from, to] of [
      [1, flippedTo / 2],
      [flippedTo / 2 + 1, flippedTo],
    ] as const) {
      const heddle = await start(folder);
      const messages = await messagesOf(heddle);
      for (let seq = from; seq <= to; seq++) {
        const body = { kind: { case: "text" as const, value: { text: flippedText(seq) } } };
        const target = { case: "toUserId" as const, value: "bob" };
        const clientId = newUuid(Date.now());
        const sent = await messages.send({ target, clientId, baseSeq: BigInt(seq - 1), attempt: 1, body });
        assert.equal(Number(sent.seq), seq);
      }
      if (to === flippedTo) await cp(folder, join(base, "killed"), { recursive: true });
      await heddle.close();
    }
    folder = join(base, "killed"); // As a process leaves it that is killed: nothing was copied out of the logs.
  });
  after(() => rm(base, { recursive: true }));

  for (const [file, pattern] of [
    ["the write-ahead log", /^messages\/\d+\.log$/],
    ["a table", /^messages\/\d+\.ldb$/],
    ["the MANIFEST", /^messages\/MANIFEST/],
    ["CURRENT", /^messages\/CURRENT$/],
    ["the file of the rows", /^threads\.sqlite$/],
    ["the write-ahead file of the rows", /^threads\.sqlite-wal$/],
  ] as const) {
    it(`in ${file} is found by verify or harmless, and gives no page with a hole`, async () => {
      const names = ((await readdir(folder, { recursive: true })) as string[]).sort();
      const name = names.findLast((one) => pattern.test(one)) ?? assert.fail(`no ${file} in ${names}`);
      const lines = await flip(name);
      assert.ok(lines.at(-1)?.done, `the process ended at ${lines.findLast(({ trying }) => trying)?.trying}`);
      const tries = lines.filter(({ outcomes }) => outcomes);
      assert.equal(tries.length, FLIPS);
      const found = tries.map(({ isFound, outcomes = [] }) => {
        for (const outcome of outcomes)
          assert.match(outcome, /^(whole|refused at start|.*\[(data_loss|unavailable)\].*)$/);
        return `${isFound ? "found" : "not found"}; ${outcomes.join(", ")}`;
      });
      const isSurelyFound = name.startsWith("messages/");
      if (isSurelyFound)
        assert.ok(
          found.every((one) => one.startsWith("found")),
          found.join("\n"),
        );
    });
  }

  async function flip(name: string): Promise<readonly Line[]> {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "flip-start-child.ts"), folder, name, String(FLIPS)],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    const printed: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => printed.push(bytes));
    await once(child, "close");
    const lines = Buffer.concat(printed).toString().trim().split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
  }
});
