import assert from "node:assert/strict";
import type { GroupChange } from "../base/group.ts";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { MemberRole } from "../gen/heddle/message/v1/entry_pb.js";
import { MessageInternalService } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { LinkClient } from "../rpc/links/link-client.ts";
import { LinkServer } from "../rpc/links/link-server.ts";
import { eventLoopTick } from "../stream/each-tick.ts";
import { until } from "../testing/fakes/message/message-samples.ts";
import { WAYS } from "../testing/fakes/streams/linked.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import type { ServeLink } from "./link-listener.ts";
import { LogClient } from "./log-client.ts";
import { type Logs, logHandlers } from "./log-server.ts";
import { MESSAGE } from "./message-methods.ts";

const A = new Uint8Array(16).fill(0xaa);
const B = new Uint8Array(16).fill(0xbb);
const requestId = new Uint8Array(16).fill(7);

/** Notes what it is asked, as it came, and answers what is distinct in every field. */
class Answers implements Logs {
  readonly asked: unknown[] = [];
  changing: () => Promise<{ readonly seq: number; readonly removed: readonly string[] }> = async () => ({
    seq: 9,
    removed: ["cay", "dan"],
  });

  async heads(threads: Parameters<Logs["heads"]>[0]) {
    this.asked.push(threads.map(({ threadId, headBucket }) => [hex(threadId), headBucket]));
    return new Map([
      [hex(A), { seq: 2 ** 40, ordinal: 6 }],
      [hex(B), { seq: 0, ordinal: 0 }],
    ]);
  }

  async unread(...[ownerId, threads]: Parameters<Logs["unread"]>) {
    this.asked.push([ownerId, threads.map(({ threadId, ...other }) => [hex(threadId), other])]);
    return new Map([[hex(A), { readSeq: 5, readOrdinal: 4, unread: 1_000 }]]);
  }

  async entryTimes(entries: Parameters<Logs["entryTimes"]>[0]) {
    this.asked.push(entries.map(({ threadId, seq }) => [hex(threadId), seq]));
    return new Map([[hex(B), 1_700_000_000_000]]);
  }

  change(asked: Parameters<Logs["change"]>[0]) {
    this.asked.push(asked);
    return this.changing();
  }

  async raiseEpoch(threadId: Uint8Array) {
    this.asked.push(hex(threadId));
  }

  async writers(threadId: Uint8Array) {
    this.asked.push(hex(threadId));
    return {
      writers: new Map([
        ["ann", 7],
        ["__proto__", 2],
      ]),
      changes: new Map([[3, "bob"]]),
    };
  }
}

for (const [way, serve] of WAYS) {
  describe(`The logs over ${way}`, () => {
    let closes: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closes.reverse()) await close();
      closes = [];
    });

    async function world() {
      const clock = new FakeClock();
      const answers = new Answers();
      const handlers = logHandlers(answers, clock);
      const open: ServeLink = (below) => {
        new LinkServer({ ...below, service: "message", handlers });
      };
      const served = await serve(MessageInternalService, open, clock);
      const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS };
      const link = new LinkClient({ ...context, stream: served.dial(), service: "message" });
      closes.push(
        () => served.close(),
        () => link.close(),
      );
      return { clock, answers, link, logs: new LogClient(link) };
    }

    it("asks and answers reads with every field as it was", async () => {
      const { answers, logs } = await world();
      const heads = await logs.heads([
        { threadId: A, headBucket: 70_000 },
        { threadId: B, headBucket: 0 },
      ]);
      assert.deepEqual(heads, await answers.heads([]));
      const query = {
        threadId: A,
        head: { seq: 9, ordinal: 8 },
        row: { readSeq: 3, readOrdinal: 2 },
      };
      assert.deepEqual(await logs.unread("ann", [query]), await answers.unread("", []));
      const times = await logs.entryTimes([{ threadId: B, seq: 2 ** 40 }]);
      assert.deepEqual(times, await answers.entryTimes([]));
      assert.deepEqual(await logs.writers(B), await answers.writers(A));
      const { threadId: _, ...other } = query;
      assert.deepEqual(
        [0, 2, 4, 6].map((at) => answers.asked[at]),
        [
          [
            [hex(A), 70_000],
            [hex(B), 0],
          ],
          ["ann", [[hex(A), other]]],
          [[hex(B), 2 ** 40]],
          hex(B),
        ],
      );
    });

    it("asks for changes of every kind as they were, and raises epochs", async () => {
      const { answers, logs } = await world();
      const changes: readonly GroupChange[] = [
        { kind: "create", name: "weft", userIds: ["bob", "cay"] },
        { kind: "add", userIds: ["dan"] },
        { kind: "remove", userIds: ["dan", "__proto__"] },
        { kind: "leave" },
        { kind: "role", userId: "bob", role: "owner" },
        { kind: "role", userId: "bob", role: "member" },
        { kind: "rename", name: "warp" },
      ];
      const asked = changes.map((change) => ({ threadId: A, userId: "ann", requestId, change }));
      for (const one of asked) assert.deepEqual(await logs.change(one), { seq: 9, removed: ["cay", "dan"] });
      const got = answers.asked.map((one) => {
        const { threadId, requestId: request, ...other } = one as (typeof asked)[0];
        return { threadId: new Uint8Array(threadId), requestId: new Uint8Array(request), ...other };
      });
      assert.deepEqual(got, asked);
      await logs.raiseEpoch(B);
      assert.equal(answers.asked.at(-1), hex(B));
    });

    it("does nothing of a change that it does not know, and says that its outcome is unknown", async () => {
      const { answers, link } = await world();
      const asked = { threadId: A, userId: "ann", requestId };
      const role = { case: "role", value: { userId: "bob", role: 77 as MemberRole } } as const;
      for (const request of [asked, { ...asked, change: role }]) {
        await assert.rejects(link.call(MESSAGE.change, request, 1_000), {
          reason: ErrorReason.PEER_UNAVAILABLE,
          committedNever: false,
        });
      }
      assert.deepEqual(answers.asked, []);
    });

    it("answers a change before the thread server gives up, where the store does not", async () => {
      const { answers, logs, clock } = await world();
      answers.changing = () => new Promise(() => {});
      const outcome = logs.change({ threadId: A, userId: "ann", requestId, change: { kind: "leave" } });
      const refusal = outcome.then(
        () => undefined,
        (error: unknown) => error,
      );
      await until(() => answers.asked.length === 1);
      clock.advance(8_500);
      const error = await refusal;
      assert.ok(error instanceof HeddleError);
      assert.deepEqual([error.code, error.committedNever], [Code.UNAVAILABLE, false]);
    });
  });
}
