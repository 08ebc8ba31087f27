import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { grpcTransport } from "../../../client/grpc/transport.ts";
import { connect } from "../../../client/index.ts";
import { hex, newUuid } from "../../base/ids.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { MessageService } from "../../gen/heddle/message/v1/message_service_pb.js";
import { indexOf } from "../../store/level/files/table-file.ts";
import { devTokens, HeddleProcess, ROOT } from "./heddle-process.ts";

const OTHERS = ["bob", "cyd", "dan"];
/** Of a thread in tables, in buckets of 512; and then in the write-ahead file. */
const IN_TABLES = 60;
const IN_LOG = 20;
const TOP = IN_TABLES + IN_LOG;

describe("A repair that accepts loss", function () {
  this.timeout("120s");
  let base: string;
  let data: string;
  let heddle: HeddleProcess | undefined;

  // Two runs, the second one killed: a table, and a write-ahead file with batches of all threads.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-accept-loss-"));
    const source = join(base, "source");
    for (const [from, to] of [
      [1, IN_TABLES],
      [IN_TABLES + 1, TOP],
    ] as const) {
      heddle = await HeddleProcess.start(source);
      const messages = await calls();
      for (let seq = from; seq <= to; seq++) for (const user of OTHERS) await send(messages, user, seq);
      await heddle.stop(to === TOP ? "SIGKILL" : "SIGTERM");
    }
  });
  beforeEach(async () => {
    data = join(base, "data");
    await cp(join(base, "source"), data, { recursive: true });
  });
  afterEach(async () => {
    await heddle?.stop("SIGKILL");
    await rm(data, { recursive: true });
  });
  after(() => rm(base, { recursive: true }));

  async function calls() {
    const { webUrl } = heddle?.addresses ?? assert.fail();
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
  }

  async function send(
    messages: Awaited<ReturnType<typeof calls>>,
    user: string,
    seq: number,
    base = seq - 1,
  ) {
    const body = { kind: { case: "text" as const, value: { text: `${seq} ${"some words ".repeat(40)}` } } };
    const target = { case: "toUserId" as const, value: user };
    const clientId = newUuid(Date.now());
    return await messages.send({ target, clientId, baseSeq: BigInt(base), attempt: 1, body });
  }

  const admin = async (...args: string[]) => {
    const env = { ...process.env, HEDDLE_DATA_DIR: data, HEDDLE_ADMIN_ADDR: "127.0.0.1:9" };
    const run = promisify(execFile)(join(ROOT, "bin/heddle"), ["admin", ...args], { env });
    return await run.then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
        return { code, text: stdout + stderr };
      },
    );
  };
  const nameOf = async (pattern: RegExp) =>
    (await readdir(join(data, "messages"))).sort().findLast((name) => pattern.test(name)) ?? assert.fail();
  const spoil = async (name: string, at: number) => {
    const file = await open(join(data, "messages", name), "r+");
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 8]), 0, 1, at);
    await file.close();
  };
  /** Of all threads the seqs that are left, by the other user, and what the repair said. */
  const repaired = async () => {
    // SQLite takes its write-ahead file into the other when it is opened.
    const kept = async () => (await readdir(data)).filter((name) => !name.endsWith("-wal")).sort();
    const names = await kept();
    const refused = await admin("repair");
    assert.match(refused.text, /is damaged .*admin repair --accept-loss/);
    assert.deepEqual(await kept(), names, "the refused run leaves nothing");
    const { code, text } = await admin("repair", "--accept-loss");
    assert.equal(code, 1, text);
    assert.match(text, /the damaged messages are kept as they were in .*messages\.before-repair-/);
    heddle = await HeddleProcess.start(data);
    return text;
  };
  /** What a new device of ann's is shown. */
  const shown = async (user: string) => {
    const { addresses } = heddle ?? assert.fail();
    const client = await connect({
      userId: "ann",
      deviceId: `device-${newUuid(Date.now())[15]}`,
      transport: grpcTransport({ url: addresses.grpcUrl }),
      credentials: async () => (await devTokens(addresses.webUrl, ["ann"])).ann ?? "",
    });
    const conversation = client.conversation(hex(directThreadId("ann", user)));
    await conversation.open();
    for (let more = true; more; ) more = (await conversation.older()).length > 0;
    const seqs = conversation.entries.map(({ seq }) => seq);
    const isDamaged = conversation.thread?.isDamaged;
    await client.close();
    return { seqs, isDamaged };
  };

  it("keeps all good blocks of a table, and shows a hole as a hole, for ever the same", async () => {
    const name = await nameOf(/\.ldb$/);
    const blocks = indexOf(await readFile(join(data, "messages", name)));
    const middle = blocks[Math.floor(blocks.length / 2)] ?? assert.fail();
    await spoil(name, middle.handle.offset + 40);
    const text = await repaired();
    const [, thread = "", from = "", to = ""] = /LOST of thread (\w+): seq (\d+)–(\d+)/.exec(text) ?? [];
    const user = OTHERS.find((other) => hex(directThreadId("ann", other)) === thread) ?? assert.fail(text);
    const [low, high] = [Number(from), Number(to)];
    const left = Array.from({ length: TOP }, (_, at) => at + 1).filter((seq) => seq < low || seq > high);
    assert.deepEqual(await shown(user), { seqs: left, isDamaged: true });

    const messages = await calls();
    assert.equal(Number((await send(messages, user, TOP + 1)).seq), TOP + 1);
    // Whether it was among what is lost cannot be known.
    await assert.rejects(send(messages, user, TOP + 2, low - 1), /\[data_loss\]/);
    for (const other of OTHERS.filter((one) => one !== user)) {
      const { seqs, isDamaged } = await shown(other);
      if (!text.includes(hex(directThreadId("ann", other))))
        assert.deepEqual([seqs.length, isDamaged], [TOP, false]);
    }
  });

  it("keeps all good records of a write-ahead file, and all else where CURRENT is gone too", async () => {
    const name = await nameOf(/\.log$/);
    const { length } = await readFile(join(data, "messages", name));
    await spoil(name, Math.floor(length / 2));
    await writeFile(join(data, "messages/CURRENT"), "MANIFEST-999999\n");
    await repaired();
    let missing = 0;
    for (const user of OTHERS) {
      const { seqs } = await shown(user);
      missing += TOP - seqs.length;
      assert.equal(seqs.at(-1), TOP);
    }
    assert.ok(missing > 0 && missing <= 2, `${missing} are missing`);
  });
});
