import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import type { Transport } from "../../../../client/transport/transport.ts";
import { asError } from "../../../../client/transport/wire.ts";
import { sleep, systemClock } from "../../../base/clock.ts";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { faultsOfLog, readLog } from "../load/log-audit.ts";
import { devTokens, HeddleProcess } from "../programs/heddle-process.ts";
import { SmallDisk } from "./small-disk.ts";

/** SQLite finds room in its write-ahead file for longer than LevelDB, which needs it for each of these. */
const TEXT_BYTES = 24_000;
const DISK_MIB = 6;
const ROOMY_MIB = 60;
/** So many failures, at this distance in ms, that the stores have taken note of each other in between (two-halves.ts). */
const REFUSALS = 40;
const POLL_MS = 100;

describe("A program that ends while its disk is full", function () {
  this.timeout("3m"); // It takes some 30 s.
  let disk: SmallDisk | undefined;
  let heddle: HeddleProcess | undefined;
  let transport: Transport | undefined;
  let token: string;

  beforeEach(async function () {
    try {
      disk = await SmallDisk.make(DISK_MIB);
    } catch (refused) {
      if (process.env.CI === "true") throw refused;
      console.log(`    skipped: ${(refused as Error).message}`);
      this.skip();
    }
    await start();
  });
  afterEach(async () => {
    transport?.close();
    await heddle?.stop("SIGKILL");
    await disk?.remove();
  });

  async function start(): Promise<void> {
    const { folder, launcher } = disk ?? assert.fail();
    heddle = await HeddleProcess.start(join(folder, "data"), { launcher });
    const { grpcUrl, webUrl } = heddle.addresses;
    token = (await devTokens(webUrl, ["ann"])).ann ?? "";
    transport = grpcTransport({ url: grpcUrl });
  }

  /** Sends until it was refused often enough. The seqs that were answered. */
  async function fill(): Promise<number[]> {
    const kept: number[] = [];
    for (let refusals = 0; refusals < REFUSALS; ) {
      try {
        kept.push(await send());
      } catch (error) {
        assert.equal(asError(error).reasonName, "STORE_UNAVAILABLE");
        refusals += 1;
        await sleep(systemClock, POLL_MS);
      }
    }
    return kept;
  }

  async function send(): Promise<number> {
    const text = randomBytes(TEXT_BYTES / 2).toString("hex");
    const { seq } = await (transport ?? assert.fail()).call(
      MessageService.method.send,
      {
        target: { case: "toUserId", value: "bob" },
        clientId: newUuid(Date.now()),
        attempt: 1,
        body: { kind: { case: "text", value: { text } } },
      },
      { token, timeoutMs: 12_000, signal: undefined },
    );
    return Number(seq);
  }

  async function servesAll(kept: readonly number[]): Promise<void> {
    transport?.close();
    await disk?.resize(ROOMY_MIB);
    await start();
    const log = await readLog(transport ?? assert.fail(), token, hex(directThreadId("ann", "bob")));
    assert.deepEqual(faultsOfLog(log), []);
    const seqs = new Set(log.entries.map(({ seq }) => seq));
    assert.deepEqual(
      kept.filter((seq) => !seqs.has(seq)),
      [],
    );
    assert.ok((await send()) > log.entries.length);
  }

  it("serves all it has after an orderly stop, once there is room", async () => {
    const kept = await fill();
    assert.equal(await heddle?.stop("SIGTERM"), 0);
    await servesAll(kept);
  });

  it("serves all it has after a kill and a start in vain, once there is room", async () => {
    const kept = await fill();
    await heddle?.stop("SIGKILL");
    await start().catch(() => {}); // It may find room enough for this.
    await heddle?.stop("SIGKILL");
    await servesAll(kept);
  });
});
