import assert from "node:assert/strict";
import { heldBytes } from "../../testing/fakes/heap.ts";
import { PendingSends } from "../log/pending-sends.ts";
import { ThreadLog } from "../log/thread-log.ts";
import { MemoryUse } from "../memory-use.ts";
import { ThreadReceipts } from "./thread-receipts.ts";

const THREADS = 1_000;

describe("The memory of receipts", function () {
  this.timeout(60_000);

  for (const [users, idLength] of [
    [2, 12],
    [40, 36],
  ] as const) {
    it(`is counted as the heap says, or a little more, for threads of ${users}, for all who came after a load`, () => {
      remembered(50, users, idLength); // What is compiled, and made once, is no part of it.
      const { bytes, held } = heldBytes(() => remembered(THREADS, users, idLength));
      const counted = held.memory.bytes;
      console.log(
        `      ${Math.round(bytes / THREADS)} bytes a thread, counted ${Math.round(counted / THREADS)}`,
      );
      assert.ok(bytes <= counted, `${bytes} bytes of heap, ${counted} counted`);
      assert.ok(counted <= 2.5 * bytes, `${bytes} bytes of heap, ${counted} counted`);
    });
  }

  it("does not hold on to a log that is forgotten", () => {
    const log = new ThreadLog(new Uint8Array(16), new PendingSends());
    const thread = new ThreadReceipts(log);
    thread.positionOf("ann");
    assert.ok(!Object.values(thread).includes(log));
  });
});

/** Threads with positions of `users` each, no two strings shared. The logs they came from are gone. */
function remembered(count: number, users: number, idLength: number) {
  const memory = new MemoryUse();
  const threads = Array.from({ length: count }, (_, n) => {
    const threadId = new Uint8Array(16);
    new DataView(threadId.buffer).setUint32(0, n);
    const thread = new ThreadReceipts(new ThreadLog(threadId, new PendingSends()), memory.share());
    for (let place = 0; place < users; place++) {
      const userId = Buffer.from(`u${n}-${place}`.padEnd(idLength, ".")).toString("latin1");
      Object.assign(thread.positionOf(userId), { deliveredSeq: n, readSeq: n, readOrdinal: n });
      for (let message = 0; message < 3; message++) {
        const seq = 3 * place + message + 1;
        thread.countMessage(userId, { seq, ordinal: seq });
      }
    }
    return thread;
  });
  return { memory, threads };
}
