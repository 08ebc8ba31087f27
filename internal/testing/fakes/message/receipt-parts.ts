import { fromBinary } from "@bufbuild/protobuf";
import { HeddleError } from "../../../base/heddle-error.ts";
import { ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import { type Positions, positionsOf } from "../../../message/cells/receipt-cell.ts";
import { Hiding } from "../../../message/hiding.ts";
import type { ThreadLog } from "../../../message/log/thread-log.ts";
import { RECEIPTS_BUCKET } from "../../../message/ports.ts";
import { listReceipts } from "../../../message/receipts/receipt-list.ts";
import { Receipts } from "../../../message/receipts/receipts.ts";
import { quiet } from "../../worlds/interleaving.ts";
import { MemoryVisibilities } from "../stores/memory-visibilities.ts";
import { MessageParts } from "./message-parts.ts";
import { clientIdOf, storeLog } from "./message-samples.ts";

/** The receipts of a thread of ann's and bob's with `seq` entries, on ports that a test holds in its hands. */
export async function receiptsOf(seq: number) {
  const parts = new MessageParts(4);
  await storeLog(parts.store.inner, parts.threadId, 4, seq);
  return worldOf(parts, await parts.open());
}

/** `maxBytes`: of what the service remembers of receipts; left out, as in production. */
function worldOf(
  parts: MessageParts,
  log: ThreadLog,
  visibilities = new MemoryVisibilities(),
  maxBytes?: number,
) {
  const { store, threads, channel, clock, heads, reader, views, logStore } = parts;
  const hiding = new Hiding({ visibilities });
  const receipts = new Receipts({
    store: logStore,
    heads,
    reader,
    views,
    isAlone: true,
    threads,
    channel,
    clock,
    hiding,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  return {
    parts,
    log,
    visibilities,
    receipts,
    /** Settles when the higher position is taken; it is written within a second. */
    raise(userId: string, raised: { deliveredSeq?: number; readSeq?: number }, originSession = "") {
      return receipts.raise(log, { userId, deliveredSeq: 0, readSeq: 0, originSession, ...raised });
    },
    /** A message that is accepted. */
    async post(userId: string, seq: number, sent: { baseSeq?: number; originSession?: string } = {}) {
      const { baseSeq = 0, originSession = "" } = sent;
      const verdict = await parts.append(log, { userId, clientId: clientIdOf(seq), baseSeq });
      if (verdict instanceof HeddleError) throw verdict;
      receipts.ownMessage(log, { userId, baseSeq, originSession }, verdict);
      await quiet();
    },
    /** What is unread up to the head, with a row that knows nothing unless it is given. */
    async unread(userId: string, { row = { readSeq: 0, readOrdinal: 0 }, isExact = true } = {}) {
      const { threadId } = parts;
      const head = await heads.readHead(log.key, threadId, 0);
      const query = { threadId, head, row, ...(isExact ? { log } : {}) };
      return (await receipts.unread(userId, [query])).get(log.key);
    },
    list: async (viewerId = "ann") =>
      listReceipts({ store: logStore, views, hiding }, log, viewerId, await reader.range(log, viewerId)),
    /** Lists once all that was raised is written. */
    async listed(viewerId = "ann") {
      await this.pass(1_050);
      return this.list(viewerId);
    },
    /** Lets time pass in steps in which what falls due comes to an end. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 50) {
        clock.advance(Math.min(50, left));
        await quiet();
      }
    },
    /** The positions in the row of receipts. */
    async stored(userId: string): Promise<Positions | undefined> {
      const row = { threadId: parts.threadId, bucket: RECEIPTS_BUCKET };
      return positionsOf((await store.inner.get(row, { family: "r" })).cells).get(userId);
    },
    /** Reads of the row of receipts. */
    reads: () => store.gets.filter(({ query }) => "family" in query).length,
    /** Reads of entries. */
    logReads: () => store.gets.filter(({ query }) => "entries" in query && !query.entries?.keysOnly).length,
    /** Writes of it. */
    puts: () => parts.trace.filter((call) => call === "put r").length,
    /** What the thread rows were told, `<user> <read seq>`. */
    rows: () => threads.raised.map(({ ownerId, readSeq }) => `${ownerId} ${readSeq}`),
    /** What members were told. */
    told: () =>
      channel.publications
        .filter(({ kind }) => kind === "receipt")
        .flatMap(({ frame }) => fromBinary(ServerFrameSchema, frame).events)
        .flatMap(({ kind }) => (kind.case === "receipt" ? [kind.value] : [])),
    /** Another service on the same ports, which remembers nothing. */
    restart: (maxBytes?: number) => worldOf(parts, log, visibilities, maxBytes),
  };
}
