import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { DRIVER_NAMES, driverNamed } from "./drivers.ts";
import type { LinkCall, ServerLink } from "./wall/driver.ts";
import { HbaseError } from "./wall/hbase-error.ts";

const REGION = Buffer.from("heddle,,1.a.");
const READ = { row: Buffer.from("row"), families: ["h"], filter: undefined };

/** A length of 4 bytes, then a header for call 1 or 2, then what is given. */
function answerTo(id: number, rest: readonly number[]): Buffer {
  const frame = Buffer.from([2, 8, id, ...rest]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}

async function reactionOf(call: LinkCall<unknown>): Promise<string> {
  const error = await call.answer.then(
    () => assert.fail("it was answered"),
    (thrown) => thrown,
  );
  assert.ok(error instanceof HbaseError, String(error));
  return error.reaction;
}

for (const driver of DRIVER_NAMES)
  describe(`A link by ${driver}`, () => {
    let server: Server;
    let clock: FakeClock;
    let link: ServerLink;
    let closed: number;
    beforeEach(async () => {
      server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      clock = new FakeClock();
      closed = 0;
    });
    afterEach(() => {
      link.close();
      server.close();
    });

    function open(port = (server.address() as { port: number }).port): void {
      link = driverNamed(driver)({
        address: `127.0.0.1:${port}`,
        findRoute: () => ({ host: "127.0.0.1", port }),
        clock,
        onClosed: () => closed++,
      });
    }
    /** The server's end, once it has read a request. */
    async function accepted(): Promise<Socket> {
      const [socket] = (await once(server, "connection")) as [Socket];
      await once(socket, "data");
      return socket;
    }

    it("tells every call that waits when the connection ends: it may have been done", async () => {
      open();
      const calls = [link.get(REGION, READ, 1_000), link.get(REGION, READ, 1_000)];
      (await accepted()).destroy();
      assert.deepEqual(await Promise.all(calls.map(reactionOf)), ["unknown", "unknown"]);
      assert.deepEqual([link.isClosed, closed], [true, 1]);
      assert.equal(await reactionOf(link.get(REGION, READ, 1_000)), "relocate", "nothing is sent any more");
    });

    it("tells calls that nothing was sent where there is no server", async () => {
      const { port } = server.address() as { port: number };
      server.close();
      await once(server, "close");
      open(port);
      assert.equal(await reactionOf(link.get(REGION, READ, 1_000)), "relocate");
    });

    it("ends at bytes that are no answer, and harms nobody else", async () => {
      for (const bytes of [
        Buffer.from([0xff, 0xff, 0xff, 0xff, 1]),
        answerTo(1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        answerTo(1, [40, 1]),
        Buffer.from([0, 0, 0, 3, 2, 0xff, 0xff]),
      ]) {
        open();
        const call = link.get(REGION, READ, 1_000);
        const socket = await accepted();
        socket.on("error", () => {});
        socket.write(bytes);
        assert.equal(await reactionOf(call), "unknown", bytes.toString("hex"));
        assert.equal(link.isClosed, true);
        socket.destroy();
      }
    });

    it("puts an answer together that comes byte by byte", async () => {
      open();
      const call = link.get(REGION, READ, 1_000);
      const socket = await accepted();
      for (const byte of answerTo(1, [0])) socket.write(Buffer.of(byte));
      assert.deepEqual(await call.answer, []);
    });

    it("drops the answer to a call that was forgotten, and serves on", async () => {
      open();
      const forgotten = link.get(REGION, READ, 1_000);
      forgotten.answer.catch(() => {});
      const socket = await accepted();
      forgotten.forget();
      socket.write(answerTo(1, [0]));
      const next = link.get(REGION, READ, 1_000);
      socket.write(answerTo(2, [0]));
      assert.deepEqual(await next.answer, []);
    });
  });
