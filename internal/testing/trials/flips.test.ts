import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type Heddle, startHeddle } from "../../app/all-in-one.ts";
import { developmentConfig } from "../../app/config.ts";
import { verifyFolder } from "../../app/verify.ts";
import { newUuid } from "../../base/ids.ts";
import { MessageService } from "../../gen/heddle/message/v1/message_service_pb.js";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { devTokens } from "./heddle-process.ts";

const MESSAGES = 90;
/** Bits flipped in each file. */
const FLIPS = 9;

/** Every sample flips another bit, in another part of the file. */
function flipped(bytes: Buffer, nth: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor((bytes.length * (nth + 0.5)) / FLIPS);
  copy[at] = (copy[at] ?? 0) ^ (1 << (nth % 8));
  return copy;
}

describe("A flipped bit in a file of the data folder", function () {
  this.timeout("120s");
  let base: string;
  let folder: string;
  let threadId: Uint8Array;

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
  const textAt = (seq: number) => `message ${seq} ${"of some length ".repeat(1 + (seq % 40))}`;

  // Two starts: what the first wrote is in a table, what the second wrote in the write-ahead log, in SQLite's too.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-flips-"));
    folder = join(base, "data");
    for (const [from, to] of [
      [1, MESSAGES / 2],
      [MESSAGES / 2 + 1, MESSAGES],
    ] as const) {
      const heddle = await start(folder);
      const messages = await messagesOf(heddle);
      for (let seq = from; seq <= to; seq++) {
        const body = { kind: { case: "text" as const, value: { text: textAt(seq) } } };
        const target = { case: "toUserId" as const, value: "bob" };
        const clientId = newUuid(Date.now());
        const sent = await messages.send({ target, clientId, baseSeq: BigInt(seq - 1), attempt: 1, body });
        assert.equal(Number(sent.seq), seq);
        threadId = sent.threadId;
      }
      if (to === MESSAGES) await cp(folder, join(base, "killed"), { recursive: true });
      await heddle.close();
    }
    folder = join(base, "killed"); // As a process leaves it that is killed: nothing was copied out of the logs.
  });
  after(() => rm(base, { recursive: true }));

  /** Every page, up and down. What they say, or why they are refused. */
  async function readAll(heddle: Heddle): Promise<readonly string[]> {
    const messages = await messagesOf(heddle);
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
        const length = position.case === "beforeSeq" ? Number(position.value) - first : MESSAGES - first + 1;
        const expected = Array.from({ length: Math.min(20, length) }, (_, at) => first + at);
        const isWhole = entries.map(({ seq }) => Number(seq)).join() === expected.join();
        const isSame = texts.join() === expected.map((seq) => `${seq} ${textAt(seq)}`).join();
        outcomes.push(
          isSame ? "whole" : isWhole ? "another text" : `a hole in ${entries.map(({ seq }) => seq)}`,
        );
      } catch (error) {
        outcomes.push(String(error));
      }
    }
    return outcomes;
  }

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
      const bytes = await readFile(join(folder, name));
      const found: string[] = [];
      for (let nth = 0; nth < FLIPS; nth++) {
        const looked = join(base, "looked");
        const started = join(base, "started");
        for (const copy of [looked, started]) {
          await cp(folder, copy, { recursive: true });
          await writeFile(join(copy, name), flipped(bytes, nth));
        }
        const { problems } = await verifyFolder(looked, () => {});
        let outcomes: readonly string[] = [];
        try {
          const heddle = await start(started);
          outcomes = await readAll(heddle).finally(() => heddle.close());
        } catch (error) {
          assert.ok(error instanceof DataFolderError, String(error));
          outcomes = ["refused at start"];
        }
        const kinds = new Set(outcomes);
        found.push(`${problems.length > 0 ? "found" : "not found"}; ${[...kinds].join(", ")}`);
        for (const outcome of kinds) {
          assert.match(outcome, /^(whole|refused at start|.*\[(data_loss|unavailable)\].*)$/);
        }
        for (const copy of [looked, started]) await rm(copy, { recursive: true });
      }
      const isSurelyFound = name.startsWith("messages/");
      if (isSurelyFound)
        assert.ok(
          found.every((one) => one.startsWith("found")),
          found.join("\n"),
        );
    });
  }
});
