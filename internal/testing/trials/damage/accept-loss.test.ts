import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import { connect } from "../../../../client/index.ts";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { indexOf } from "../../../store/level/files/table-file.ts";
import { goExample, javaExample, pythonExample } from "../clients/example-programs.ts";
import { JsonChild } from "../clients/four-clients/json-child.ts";
import { devTokens, HeddleProcess, ROOT } from "../programs/heddle-process.ts";

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
  /** Repaired after a block of a table, the middle one or the first, was spoilt: a thread of which it takes `low` to `high`. */
  const repairedHole = async (which: "middle" | "first" = "middle") => {
    const name = await nameOf(/\.ldb$/);
    const blocks = indexOf(await readFile(join(data, "messages", name)));
    const block = blocks[which === "first" ? 0 : Math.floor(blocks.length / 2)] ?? assert.fail();
    await spoil(name, block.handle.offset + 40);
    const text = await repaired();
    const [, thread = "", low = "", high = ""] = /LOST of thread (\w+): seq (\d+)–(\d+)/.exec(text) ?? [];
    const user = OTHERS.find((other) => hex(directThreadId("ann", other)) === thread) ?? assert.fail(text);
    return { text, thread, user, low: Number(low), high: Number(high) };
  };
  /** What `bin/chat history` prints on a new device of ann's. */
  const history = (user: string, ...more: string[]) => {
    const { grpcUrl, webUrl } = heddle?.addresses ?? assert.fail();
    const where = ["--grpc", grpcUrl, "--web", webUrl, "--state", join(data, "chat")];
    const args = ["as", "ann", "history", user, "--limit", "100", ...where, ...more];
    return promisify(execFile)(join(ROOT, "bin/chat"), args);
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
    const { hasOlder } = conversation;
    await client.close();
    return { seqs, isDamaged, hasOlder };
  };

  it("keeps all good blocks of a table, and shows a hole as a hole, for ever the same", async () => {
    const { text, user, low, high } = await repairedHole();
    assert.deepEqual(await shown(user), {
      seqs: seqsBut(TOP, { low, high }),
      isDamaged: true,
      hasOlder: false,
    });
    const { stdout } = await history(user);
    const hole = `· the server has lost messages here: ${low}–${high}`;
    const numbers = stdout.split("\n").map((line) => /^\d\d:\d\d +you +(\d+) /.exec(line)?.[1] ?? line);
    assert.ok(numbers.includes(hole), `no line "${hole}":\n${stdout}`);
    assert.deepEqual(numbers.slice(numbers.indexOf(hole) - 1, numbers.indexOf(hole) + 2), [
      String(low - 1),
      hole,
      String(high + 1),
    ]);

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

  it("shows a hole at the beginning as one, and looks for nothing below it", async () => {
    const { thread, user, low, high } = await repairedHole("first");
    assert.equal(low, 1);
    const { stdout } = await history(user);
    assert.equal(stdout.split("\n")[0], `· the server has lost messages here: 1–${high}`);
    const json = (await history(user, "--json")).stdout.split("\n").map((line) => line && JSON.parse(line));
    assert.deepEqual(json[0], { type: "damaged", thread, seq: 1, up_to: high });
    assert.equal(json[1].seq, high + 1);
    const { seqs, hasOlder } = await shown(user);
    assert.deepEqual([seqs[0], hasOlder], [high + 1, false]);
  });

  it("is passed by the example clients, which show the hole and serve the other threads", async function () {
    this.timeout("10m"); // A cold cache: grpc-go and grpc-java are built.
    const programs = [
      { ...(await pythonExample()), dash: "--" },
      { ...(await goExample()), dash: "-" },
      { ...(await javaExample()), dash: "--" },
    ];
    const hole = await repairedHole();
    const { grpcUrl, webUrl } = heddle?.addresses ?? assert.fail();
    for (const [at, { command, args, env, dash }] of programs.entries()) {
      const where = [`${dash}grpc`, grpcUrl, `${dash}web`, webUrl];
      const child = new JsonChild(command, [...args, "ann", ...where], env);
      try {
        // Composed before anything is held: it may be among what is lost, for all that the server can say.
        child.tell({ to: hole.user, text: "composed below the hole" });
        const ofType = (type: string) => child.said.filter((said) => said.type === type);
        await child.until("caught_up", () => ofType("caught_up").length > 0);
        await child.until("refused", () => ofType("refused").length > 0);
        assert.deepEqual(
          ofType("refused").map(({ reason }) => reason),
          ["LOG_DAMAGED"],
        );
        const seqsOf = (thread: string) =>
          ofType("entry").flatMap((said) => (said.thread === thread ? said.seq : []));
        const top = TOP + at; // Each of the earlier programs has sent one.
        assert.deepEqual(seqsOf(hole.thread), seqsBut(top, hole));
        const { thread, low, high } = hole;
        assert.deepEqual(ofType("damaged"), [{ type: "damaged", thread, seq: low, up_to: high }]);
        for (const other of OTHERS.filter((one) => one !== hole.user))
          assert.deepEqual(seqsOf(hex(directThreadId("ann", other))), seqsBut(TOP));
        assert.deepEqual(ofType("state"), []);
        child.tell({ to: hole.user, text: "composed above the hole" });
        await child.until("the entry above", () => seqsOf(thread).at(-1) === top + 1);
        assert.equal(await child.end(), 0, child.stderr);
      } finally {
        await child.kill();
      }
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

/** 1 … `top`, without those from `low` to `high`. */
function seqsBut(top: number, hole = { low: 0, high: 0 }): number[] {
  const seqs = Array.from({ length: top }, (_, at) => at + 1);
  return seqs.filter((seq) => seq < hole.low || seq > hole.high);
}
