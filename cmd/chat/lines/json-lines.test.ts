import assert from "node:assert/strict";
import type { Entry, Thread } from "../../../client/index.ts";
import { entryJson, eventJson, parseRequest, threadJson } from "./json-lines.ts";

const entry: Entry = {
  threadId: "ab".repeat(16),
  seq: 1,
  sender: "ann",
  clientId: "cd".repeat(16),
  baseSeq: 0,
  ordinal: 1,
  createdAtMs: 5,
  body: { kind: "text", text: "hi" },
};

describe("JSON lines", () => {
  it("have an entry exactly as outside programs expect it", () => {
    const line = `{"type":"entry","thread":"${"ab".repeat(16)}","seq":1,"from":"ann","text":"hi","client_id":"${"cd".repeat(16)}","created_at_ms":5}`;
    assert.equal(JSON.stringify(entryJson(entry)), line);
    assert.deepEqual(entryJson({ ...entry, body: { kind: "void" } }), {
      ...JSON.parse(line),
      text: "",
      kind: "void",
    });
  });

  it("have what became of a group", () => {
    const members = [{ userId: "bob", role: "member" }] as const;
    const change = { kind: "member_change", added: members, removed: ["cleo"], changed: [] } as const;
    const { kind, added, removed, changed, member_count, text, ...rest } = entryJson({
      ...entry,
      body: { ...change, name: undefined, memberCount: 3, isLarge: false },
    });
    assert.deepEqual(
      [kind, added, removed, changed, member_count, text],
      ["member_change", [{ user: "bob", role: "member" }], ["cleo"], [], 3, ""],
    );
    assert.equal("name" in rest, false);
    const named = entryJson({ ...entry, body: { kind: "setting_change", name: "Sunday" } });
    assert.deepEqual([named.kind, named.name], ["setting_change", "Sunday"]);
  });

  it("have a group, and a block, where there is one", () => {
    const thread: Thread = {
      ...{ threadId: entry.threadId, kind: "direct", peer: "bob", name: undefined, memberCount: 0 },
      ...{
        role: undefined,
        hasLeft: false,
        isLarge: false,
        isBlocked: false,
        isDamaged: false,
        updatedAtMs: 1,
      },
      ...{ isMuted: false, head: { seq: 2, ordinal: 1 }, readSeq: 1, unread: 1, last: undefined },
    };
    const common = { type: "thread_changed", thread: entry.threadId, head_seq: 2, unread: 1, read_seq: 1 };
    assert.deepEqual(threadJson(thread), { ...common, peer: "bob", is_muted: false });
    assert.equal(threadJson({ ...thread, isBlocked: true }).is_blocked, true);
    const group = { ...thread, kind: "group", peer: undefined, name: "Weekend", memberCount: 2 } as const;
    assert.deepEqual(threadJson({ ...group, role: "owner" }), {
      ...{ ...common, peer: undefined, is_muted: false, kind: "group", name: "Weekend", member_count: 2 },
      ...{ role: "owner", has_left: false },
    });
  });

  it("say who is there and who writes", () => {
    const offline = { status: "offline", lastSeenAtMs: 7 } as const;
    assert.deepEqual(eventJson({ type: "presence", userId: "bob", presence: offline }), {
      type: "presence",
      user: "bob",
      status: "offline",
      last_seen_at_ms: 7,
    });
    assert.deepEqual(eventJson({ type: "presence", userId: "bob", presence: undefined }), {
      type: "presence",
      user: "bob",
      status: "unknown",
    });
    const threadId = "ab".repeat(16);
    assert.deepEqual(eventJson({ type: "typing", threadId, userId: "bob", isTyping: true }), {
      type: "typing",
      thread: threadId,
      user: "bob",
      is_typing: true,
    });
    assert.deepEqual(parseRequest('{"watch":["bob"]}'), { kind: "watch", userIds: ["bob"] });
    assert.deepEqual(parseRequest('{"to":"bob","typing":true}'), { kind: "typing", target: { to: "bob" } });
  });

  it("ask for a send or a read position", () => {
    assert.deepEqual(parseRequest('{"to":"bob","text":"hi"}'), {
      kind: "send",
      target: { to: "bob" },
      text: "hi",
    });
    const thread = "AB".repeat(16);
    const target = { threadId: "ab".repeat(16) };
    assert.deepEqual(parseRequest(`{"thread":"${thread}","text":"hi"}`), {
      kind: "send",
      target,
      text: "hi",
    });
    assert.deepEqual(parseRequest(`{"thread":"${thread}","read_seq":3}`), { kind: "read", target, seq: 3 });
  });

  it("say what is wrong with any other line", () => {
    for (const line of [
      "",
      "null",
      "5",
      "[]",
      "{}",
      '{"watch":[1]}',
      '{"typing":true}',
      '{"to":"bob"}',
      '{"to":1,"text":"x"}',
      '{"to":"bob","read_seq":-1}',
      '{"to":"bob","read_seq":1.5}',
      '{"to":"bob","read_seq":1e300}',
      '{"to":"bob","read_seq":"3"}',
      '{"thread":"ab","read_seq":3}',
      "hi",
    ]) {
      assert.throws(() => parseRequest(line), SyntaxError, line);
    }
  });
});
