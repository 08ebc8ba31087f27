import assert from "node:assert/strict";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { GatewayService } from "../../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { ThreadService } from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import { rowKey } from "../../../store/keys.ts";
import { indexOf } from "../../../store/level/files/table-file.ts";
import { RawStream } from "../../contract/raw-stream.ts";
import { devTokens, HeddleProcess } from "../programs/heddle-process.ts";

const OTHERS = ["bob", "cyd", "dan", "eve"];
/** Of a thread: several blocks of a table. */
const MESSAGES = 60;

/** The other user of the thread whose log stands first in a table: no other thread has a part of its first block. */
const [FIRST = ""] = [...OTHERS].sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));

function keyOf(user: string): Uint8Array {
  return rowKey({ threadId: directThreadId("ann", user), bucket: 0 });
}

// A process of its own: LevelDB may end it.
describe("A thread whose log breaks under a running Heddle", function () {
  this.timeout("60s");
  let base: string;
  let heddle: HeddleProcess;
  const damagedId = hex(directThreadId("ann", FIRST));

  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-damaged-thread-"));
    const dataDir = join(base, "data");
    heddle = await HeddleProcess.start(dataDir);
    const { messages } = await calls();
    for (const user of OTHERS)
      for (let seq = 1; seq <= MESSAGES; seq++) {
        const body = {
          kind: { case: "text" as const, value: { text: `${seq} ${"some words ".repeat(40)}` } },
        };
        const target = { case: "toUserId" as const, value: user };
        await messages.send({
          target,
          clientId: newUuid(Date.now()),
          baseSeq: BigInt(seq - 1),
          attempt: 1,
          body,
        });
      }
    await heddle.stop();
    heddle = await HeddleProcess.start(dataDir); // It moves the log into a table.
    await breakFirstBlock(join(dataDir, "messages"));
  });
  after(async () => {
    await heddle.stop();
    await rm(base, { recursive: true });
  });

  async function calls() {
    const { webUrl } = heddle.addresses;
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
    const threads = createClient(ThreadService, transport);
    return { messages, threads, gateway: createClient(GatewayService, transport) };
  }

  /** So that it cannot be unpacked, which is what LevelDB notices. */
  async function breakFirstBlock(folder: string): Promise<void> {
    const name = (await readdir(folder)).find((one) => one.endsWith(".ldb")) ?? assert.fail("no table");
    const [first] = indexOf(await readFile(join(folder, name)));
    const file = await open(join(folder, name), "r+");
    await file.write(Buffer.alloc(first?.handle.bytes ?? 0, 0xff), 0, undefined, first?.handle.offset);
    await file.close();
  }

  it("is listed as damaged, by ListThreads, Sync and GetThread, beside the others as they are", async () => {
    const { threads } = await calls();
    const listed = await threads.listThreads({});
    const synced = await threads.sync({});
    for (const found of [listed.threads, synced.threads]) {
      assert.equal(found.length, OTHERS.length);
      for (const thread of found) {
        const isDamaged = hex(thread.threadId) === damagedId;
        assert.equal(thread.isDamaged, isDamaged);
        assert.equal(Number(thread.head?.seq ?? 0), isDamaged ? 0 : MESSAGES);
      }
    }
    assert.ok(synced.cursor.length > 0);
    const { thread } = await threads.getThread({ threadId: directThreadId("ann", FIRST) });
    assert.ok(thread?.isDamaged);
  });

  it("keeps no stream from being caught up, and no other thread from GetHeads and CompareHeld", async () => {
    const { gateway, messages } = await calls();
    const { ticket } = await gateway.openSession({ deviceId: "phone" });
    const stream = new RawStream(heddle.addresses.grpcUrl, ticket);
    stream.open("phone");
    await stream.next("caughtUp");
    stream.close();
    const threadIds = OTHERS.map((user) => directThreadId("ann", user));
    assert.equal((await messages.getHeads({ threadIds })).heads.length, OTHERS.length - 1);
    const { compared } = await messages.compareHeld({ held: threadIds.map((threadId) => ({ threadId })) });
    const damaged = compared.filter(({ isDamaged }) => isDamaged).map(({ threadId }) => hex(threadId));
    assert.deepEqual(damaged, [damagedId]);
    assert.ok(compared.every(({ isSame, isDamaged }) => isSame !== isDamaged));
  });

  it("answers with DATA_LOSS where it is read, and is logged and counted", async () => {
    const { messages } = await calls();
    const threadId = directThreadId("ann", FIRST);
    await assert.rejects(messages.listEntries({ threadId }), /\[data_loss\]/);
    assert.ok(heddle.stderr.some((line) => line.includes(damagedId) && /damaged/.test(line)));
    const metrics = await (await fetch(`${heddle.addresses.adminUrl}/metrics`)).text();
    assert.ok(Number(/^heddle_message_damaged_reads_total (\d+)/m.exec(metrics)?.[1]) > 0);
  });
});
