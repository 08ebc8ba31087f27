import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { directThreadId } from "../base/thread-id.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { FakeClock } from "../testing/fakes/fake-clock.ts";
import { RecentThreads } from "./recent-threads.ts";

const NONE = new Uint8Array(0);

describe("A page of ListThreads", () => {
  let clock: FakeClock;
  let store: SqliteThreadStore;
  let recent: RecentThreads;
  const withEntries = new Set<string>();

  beforeEach(() => {
    clock = new FakeClock();
    store = new SqliteThreadStore({ path: ":memory:", clock });
    withEntries.clear();
    const head = (key: string) => ({ seq: withEntries.has(key) ? 1 : 0, ordinal: 0 });
    recent = new RecentThreads({
      rows: store,
      heads: {
        heads: async (threads) =>
          new Map(threads.map(({ threadId }) => [hex(threadId), head(hex(threadId))])),
      },
    });
  });
  afterEach(() => store.close());

  async function thread(other: string, hasEntries: boolean): Promise<void> {
    const id = directThreadId("ann", other);
    clock.advance(1000);
    await store.createDirect(id, ["ann", other]);
    if (hasEntries) withEntries.add(hex(id));
  }

  async function listAll(pageSize: number): Promise<{ names: string[]; pages: number }> {
    const names: string[] = [];
    let token: Uint8Array = NONE;
    for (let pages = 1; ; pages++) {
      const page = await recent.page("ann", token, pageSize);
      assert.ok(page.threads.length <= pageSize);
      names.push(...page.threads.map(({ row }) => row.participants[1] ?? ""));
      token = page.nextPageToken;
      if (token.length === 0) return { names, pages };
    }
  }

  it("has the most recently active first", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other, true);
    clock.advance(1000);
    await store.touch([{ threadId: directThreadId("ann", "bob"), ownerIds: ["ann"], headBucket: 0 }]);
    clock.advance(1000);
    await store.touch([{ threadId: directThreadId("ann", "cid"), ownerIds: ["ann"], headBucket: 0 }]);
    assert.deepEqual((await listAll(2)).names, ["cid", "bob", "dan"]);
  });

  it("is filled over threads without entries", async () => {
    for (let at = 0; at < 12; at++) await thread(`u${String(at).padStart(2, "0")}`, at % 2 === 0);
    assert.deepEqual(await listAll(3), { names: ["u10", "u08", "u06", "u04", "u02", "u00"], pages: 3 });
  });

  it("comes short, with a token, rather than read on for ever", async () => {
    for (let at = 0; at < 30; at++) await thread(`u${at}`, at === 0);
    const { names, pages } = await listAll(2);
    assert.deepEqual(names, ["u0"]);
    assert.ok(pages > 1 && pages <= 5);
  });

  it("has large groups by their activity, and groups that were left", async () => {
    await thread("bob", true);
    for (const number of [2, 4]) {
      const threadId = new Uint8Array(16).fill(number);
      clock.advance(1000);
      const entry = {
        ...{ threadId, seq: 1, ordinal: 0, previousSeq: 0, createdAtMs: 0, sender: "ann", memberCount: 1 },
        ...{ requestId: threadId, name: `group ${number}`, removed: [], changed: [], isLarge: number === 2 },
        added: [{ userId: "ann", role: "owner" as const }],
      };
      await store.project(entry, 0);
      if (number !== 4) continue;
      const requestId = new Uint8Array(16);
      await store.project({ ...entry, seq: 2, previousSeq: 1, requestId, added: [], removed: ["ann"] }, 0);
    }
    const list = async () =>
      (await recent.page("ann", NONE, 0)).threads.map(({ row }) => row.group?.name ?? row.participants[1]);
    assert.deepEqual(await list(), ["group 4", "group 2", "bob"]);
    clock.advance(1000);
    await store.noteActivity(new Uint8Array(16).fill(2), 0);
    assert.deepEqual(await list(), ["group 2", "group 4", "bob"]);
  });

  it("is empty for a user without threads", async () => {
    assert.deepEqual(await recent.page("nobody", NONE, 0), { threads: [], nextPageToken: NONE });
  });

  it("is refused for a token that is none", async () => {
    const isMalformed = (error: unknown) =>
      error instanceof HeddleError && error.reason === ErrorReason.TOKEN_MALFORMED;
    await assert.rejects(recent.page("ann", Uint8Array.of(1, 2, 3), 0), isMalformed);
  });
});
