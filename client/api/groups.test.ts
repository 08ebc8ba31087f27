import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import { MemberRole } from "../../internal/gen/heddle/message/v1/entry_pb.js";
import type { ListEntriesRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import { ThreadKind } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import type {
  CreateGroupRequest,
  ListMembersRequest,
} from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import {
  ClientWorld,
  head,
  settled,
  THREAD,
  unavailable,
  wireEntry,
} from "../../internal/testing/worlds/client/client-world.ts";
import { Code, ErrorReason, HeddleError, MemoryStorage } from "../index.ts";

const OWNER = MemberRole.OWNER;
const MEMBER = MemberRole.MEMBER;
const member = (userId: string, role = MEMBER) => ({ userId, role });

/** A row of the group, in which ann is a member since the first entry. */
function groupRow(seq: number, more: object = {}) {
  return {
    threadId: fromHex(THREAD),
    kind: ThreadKind.GROUP,
    name: "Weekend",
    memberCount: 2,
    role: MEMBER,
    joinedSeq: 1n,
    readSeq: 1n,
    membersSeq: BigInt(seq),
    head: { seq: BigInt(seq), ordinal: BigInt(Math.max(0, seq - 1)) },
    ...more,
  };
}

/** A member entry of bob's. `ordinal`: of the messages before it. */
function change(seq: number, more: object, ordinal = Math.max(0, seq - 1)) {
  const body = { kind: { case: "memberChange", value: { memberCount: 2, ...more } } };
  return { case: "entry", value: wireEntry(seq, { ordinal: BigInt(ordinal), body }) } as const;
}

function renamed(seq: number, name: string) {
  const body = { kind: { case: "settingChange", value: { name } } };
  return { case: "entry", value: wireEntry(seq, { body }) } as const;
}

const first = change(1, { name: "Weekend", added: [member("bob", OWNER), member("ann")] });
const rowHeard = (row: object) =>
  ({ case: "threadChanged", value: { threadId: fromHex(THREAD), thread: row } }) as const;

/** A client of ann's that has heard of the group. */
async function inGroup(storage = new MemoryStorage()): Promise<ClientWorld> {
  const world = await new ClientWorld().live(storage);
  world.transport.stream.hear(first, rowHeard(groupRow(1)));
  await settled();
  return world;
}

const groupOf = (world: ClientWorld) => world.client.conversation(THREAD).thread;

describe("A group in a client", () => {
  it("shows its name, its members' number and one's role, and changes with its entries", async () => {
    const world = await inGroup();
    const { kind, peer, name, memberCount, role, hasLeft, unread } = groupOf(world) ?? {};
    assert.deepEqual(
      { kind, peer, name, memberCount, role, hasLeft, unread },
      {
        ...{ kind: "group", peer: undefined, name: "Weekend", memberCount: 2, role: "member" },
        ...{ hasLeft: false, unread: 0 },
      },
    );
    world.transport.stream.hear(
      change(2, { added: [member("cleo")], memberCount: 3 }, 0),
      renamed(3, "Sunday"),
      change(4, { changed: [member("ann", OWNER)], memberCount: 3 }, 0),
    );
    await settled();
    const thread = groupOf(world);
    assert.deepEqual([thread?.name, thread?.memberCount, thread?.role], ["Sunday", 3, "owner"]);
    assert.equal(thread?.unread, 0, "who came is no message");
    const bodies = world.events.flatMap((event) => (event.type === "entry" ? [event.entry.body] : []));
    assert.deepEqual(bodies[1], {
      ...{ kind: "member_change", added: [{ userId: "cleo", role: "member" }], removed: [], changed: [] },
      ...{ name: undefined, memberCount: 3, isLarge: false },
    });
    assert.deepEqual(bodies[2], { kind: "setting_change", name: "Sunday" });
    await world.client.close();
  });

  it("lets an old row and old history change nothing", async () => {
    const world = await inGroup();
    world.transport.stream.hear(renamed(3, "Sunday"), renamed(2, "Friday"), rowHeard(groupRow(1)));
    await settled();
    assert.equal(groupOf(world)?.name, "Sunday");
    world.transport.answers.ListEntries = ({ position }: ListEntriesRequest) => {
      const entries = position.value === 3n ? [renamed(4, "Tuesday").value] : [];
      return { entries, head: head(9) };
    };
    world.transport.stream.hear(rowHeard(groupRow(9, { name: "Monday", membersSeq: 8n })));
    await settled();
    await world.pass(30);
    assert.deepEqual(world.seqs(), [1, 2, 3, 4]);
    assert.equal(groupOf(world)?.name, "Monday", "what is pulled was before the row");
    world.transport.stream.hear(renamed(9, "Wednesday"));
    await settled();
    assert.equal(groupOf(world)?.name, "Wednesday", "what comes live may be news to a row of the same head");
    assert.ok(
      world.transport.requests("ListEntries").length < 4,
      "what does not come is not asked for at once",
    );
    await world.client.close();
  });

  it("has of rows and entries, however they come, what the newest member or setting entry says", async () => {
    const world = await inGroup();
    world.transport.stream.hear(renamed(8, "Sunday"), rowHeard(groupRow(9, { membersSeq: 5n })));
    await settled();
    assert.equal(groupOf(world)?.name, "Sunday", "the row's head is newer than its name");
    const pulled = [renamed(10, "Friday").value, renamed(11, "Saturday").value];
    world.transport.answers.ListEntries = () => ({ entries: pulled, head: head(12) });
    world.transport.stream.hear(rowHeard(groupRow(12, { name: "Friday", membersSeq: 10n })));
    await settled();
    assert.equal(groupOf(world)?.name, "Friday");
    await world.pass(30);
    assert.equal(groupOf(world)?.name, "Saturday", "pulled, and below the row's head, but news to it");
    await world.client.close();
  });

  it("counts nobody who is gone, though a row said so before the entry came", async () => {
    const world = await inGroup();
    const value = { threadId: fromHex(THREAD), userId: "cleo", deliveredSeq: 1n, readSeq: 1n };
    world.transport.stream.hear({ case: "receipt", value });
    await settled();
    const { receipts } = world.client.conversation(THREAD);
    assert.equal(receipts.length, 1);
    world.transport.stream.hear(rowHeard(groupRow(2)), change(2, { removed: ["cleo"], memberCount: 2 }));
    await settled();
    assert.deepEqual(world.client.conversation(THREAD).receipts, []);
    await world.client.close();
  });

  it("that one is added to begins with that entry; its row is fetched", async () => {
    const world = await new ClientWorld().live();
    const row = { joinedSeq: 40n, readSeq: 40n, readOrdinal: 30n, head: { seq: 41n, ordinal: 31n } };
    world.transport.answers.GetThread = () => ({ thread: groupRow(41, row) });
    world.transport.stream.hear(change(40, { added: [member("ann")] }, 30), {
      case: "entry",
      value: wireEntry(41, { ordinal: 31n }),
    });
    await settled();
    assert.deepEqual(world.seqs(), [40, 41]);
    await world.pass(200);
    assert.equal(world.transport.requests("GetThread").length, 1);
    assert.equal(world.transport.requests("ListEntries").length, 0, "nothing before it is missing");
    assert.equal(groupOf(world)?.unread, 1);
    assert.equal(world.client.conversation(THREAD).hasOlder, false);
    assert.deepEqual(await world.client.conversation(THREAD).older(), []);
    await world.client.close();
  });

  it("that one was added to while away is pulled from where one joined", async () => {
    const world = await new ClientWorld().live();
    const pulled = change(40, { added: [member("ann")] }, 30).value;
    world.transport.answers.ListEntries = () => ({ entries: [pulled], head: head(40) });
    world.transport.stream.hear(rowHeard(groupRow(40, { joinedSeq: 40n, readSeq: 40n })));
    await settled();
    await world.pass(30);
    const [pull] = world.transport.requests<ListEntriesRequest>("ListEntries");
    assert.deepEqual(pull?.position, { case: "afterSeq", value: 39n });
    assert.deepEqual(world.seqs(), [40]);
    await world.client.close();
  });

  it("that one has left ends there, takes nothing more, and begins anew when one is back", async () => {
    const world = await inGroup();
    const conversation = world.client.conversation(THREAD);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(3) } });
    world.transport.stream.hear(change(2, { removed: ["ann"], memberCount: 1 }));
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(8) } });
    await settled();
    await world.pass(1_000);
    assert.equal(world.transport.requests("ListEntries").length, 0, "what is above is not for ann");
    const { hasLeft, role, head: end } = conversation.thread ?? {};
    assert.deepEqual([hasLeft, role, end?.seq], [true, undefined, 2]);
    assert.deepEqual(
      conversation.entries.map(({ seq }) => seq),
      [1, 2],
    );
    await assert.rejects(conversation.send("still here?"), { reason: ErrorReason.THREAD_NOT_FOUND });
    world.client.typing(THREAD);
    assert.equal(world.transport.stream.frames("typing").length, 0);
    world.transport.stream.hear(change(9, { added: [member("ann")] }));
    await settled();
    assert.equal(conversation.thread?.hasLeft, false);
    assert.deepEqual(world.seqs(), [1, 2, 9]);
    assert.equal(conversation.hasOlder, false);
    await conversation.send("here again");
    await world.client.close();
  });

  it("has ticks for the first of the others who got so far, and none when it is large", async () => {
    const world = await inGroup();
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const about = { threadId: fromHex(THREAD), clientId: fromHex(send.item.clientId) };
    world.transport.stream.hear({ case: "accepted", value: { ...about, seq: 2n, createdAtMs: 1n } });
    const receipt = (userId: string, deliveredSeq: bigint, readSeq: bigint) => {
      const value = { threadId: fromHex(THREAD), userId, deliveredSeq, readSeq };
      world.transport.stream.hear({ case: "receipt", value });
    };
    receipt("bob", 1n, 0n);
    receipt("cleo", 2n, 1n);
    await settled();
    assert.equal(send.item.state, "delivered");
    receipt("bob", 2n, 2n);
    await settled();
    assert.equal(send.item.state, "read");
    const [, own] = world.client.conversation(THREAD).entries;
    assert.equal(own && world.client.conversation(THREAD).stateOf(own), "read");
    world.transport.stream.hear(change(3, { memberCount: 257, isLarge: true }));
    await settled();
    assert.equal(own && world.client.conversation(THREAD).stateOf(own), "sent");
    await world.client.close();
  });

  it("is there after a restart as it was, and so is what an earlier version kept", async () => {
    const storage = new MemoryStorage();
    const world = await inGroup(storage);
    world.transport.stream.hear(renamed(2, "Sunday"), change(3, { removed: ["ann"], memberCount: 1 }));
    await settled();
    await world.pass(100);
    await world.client.close();
    const old = { kind: "direct", participants: ["ann", "bob"], updatedAtMs: 5, isMuted: true };
    const id = "cd".repeat(16);
    const value = { position: 1, head: [1, 1], row: old, read: [0, 0, 0], reported: 1, receipts: [] };
    await storage.write([{ key: `thread/${id}`, value }]);
    const again = await new ClientWorld().start(storage);
    const { name, hasLeft, memberCount } = groupOf(again) ?? {};
    assert.deepEqual([name, hasLeft, memberCount], ["Sunday", true, 1]);
    const direct = again.client.conversation(id).thread;
    assert.deepEqual([direct?.peer, direct?.isMuted, direct?.isBlocked], ["bob", true, false]);
    await again.client.close();
  });
});

describe("What a client asks of groups", () => {
  it("is said under one request_id until the outcome is known", async () => {
    const world = await new ClientWorld().live();
    let tries = 0;
    world.transport.answers.CreateGroup = () => {
      tries += 1;
      if (tries < 3) throw unavailable;
      return { thread: groupRow(1, { role: OWNER }) };
    };
    const made = world.client.groups.create("Weekend", ["bob", "bob"]);
    await settled();
    await world.pass(1_000);
    await world.pass(1_000);
    const { threadId, role } = await made;
    assert.deepEqual([threadId, role], [THREAD, "owner"]);
    const requests = world.transport.requests<CreateGroupRequest>("CreateGroup");
    assert.equal(new Set(requests.map(({ requestId }) => String(requestId))).size, 1);
    assert.deepEqual([requests.length, requests[0]?.userIds], [3, ["bob"]]);
    await world.client.close();
  });

  it("makes no second group when the outcome of the first try stayed unknown", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.CreateGroup = () => {
      throw unavailable;
    };
    const lost = assert.rejects(world.client.groups.create("Weekend", ["bob"]), { code: Code.UNAVAILABLE });
    await world.passAnswered(60_000);
    await lost;
    world.transport.answers.CreateGroup = () => ({ thread: groupRow(1) });
    await world.client.groups.create("Weekend", ["bob"]);
    await world.client.groups.create("Weekend", ["bob"]);
    const ids = world.transport
      .requests<CreateGroupRequest>("CreateGroup")
      .map(({ requestId }) => String(requestId));
    assert.equal(new Set(ids).size, 2);
    assert.equal(ids.at(-2), ids[0], "the same wish");
    assert.notEqual(ids.at(-1), ids[0], "another one");
    await world.client.close();
  });

  it("rejects with a refusal at once, and with the reason of the signal", async () => {
    const world = await inGroup();
    const { groups } = world.client;
    const refusal = new HeddleError(Code.PERMISSION_DENIED, ErrorReason.OWNER_REQUIRED, "only an owner may");
    world.transport.answers.RemoveMembers = () => {
      throw refusal;
    };
    await assert.rejects(groups.remove(THREAD, ["bob"]), { reason: ErrorReason.OWNER_REQUIRED });
    assert.equal(world.transport.requests("RemoveMembers").length, 1);
    world.transport.answers.LeaveGroup = () => {
      throw unavailable;
    };
    const end = new AbortController();
    const left = assert.rejects(groups.leave(THREAD, end.signal), /enough/);
    await settled();
    end.abort(new Error("enough"));
    await left;
    await assert.rejects(groups.create("", ["bob"]), { reason: ErrorReason.INVALID_FIELD });
    await assert.rejects(groups.add(THREAD, ["No Name"]), { reason: ErrorReason.INVALID_FIELD });
    await world.client.close();
  });

  it("brings the group as it is then", async () => {
    const world = await inGroup();
    const { groups } = world.client;
    world.transport.answers.RenameGroup = () => ({ thread: groupRow(2, { name: "Sunday" }), seq: 2n });
    assert.equal((await groups.rename(THREAD, "Sunday")).name, "Sunday");
    world.transport.answers.SetMemberRole = () => ({ thread: groupRow(3), seq: 3n });
    await groups.setRole(THREAD, "bob", "owner");
    const gone = groupRow(4, { hasLeft: true, role: MemberRole.UNSPECIFIED });
    world.transport.answers.LeaveGroup = () => ({ thread: gone, seq: 4n });
    assert.equal((await groups.leave(THREAD)).hasLeft, true);
    await world.client.close();
  });

  it("lists members page by page", async () => {
    const world = await inGroup();
    world.transport.answers.ListMembers = ({ pageToken }: ListMembersRequest) =>
      pageToken.length === 0
        ? { members: [member("ann")], nextPageToken: new Uint8Array([7]) }
        : { members: [member("bob", OWNER)] };
    const page = await world.client.groups.members(THREAD);
    assert.deepEqual(page, { members: [{ userId: "ann", role: "member" }], nextPageToken: "07" });
    const next = await world.client.groups.members(THREAD, page.nextPageToken);
    assert.deepEqual(next, { members: [{ userId: "bob", role: "owner" }], nextPageToken: undefined });
    await world.client.close();
  });
});

describe("Blocks in a client", () => {
  const row = (isBlocked: boolean) => ({
    ...{ threadId: fromHex(THREAD), kind: ThreadKind.DIRECT, participants: ["ann", "bob"] },
    ...{ head: head(1), isBlocked },
  });

  it("show in the row of the chat, and are listed page by page", async () => {
    const world = await new ClientWorld().live();
    const { blocks } = world.client;
    world.transport.answers.BlockUser = () => ({ thread: row(true) });
    world.transport.answers.UnblockUser = () => ({ thread: row(false) });
    assert.equal((await blocks.block("bob")).isBlocked, true);
    assert.equal(groupOf(world)?.isBlocked, true);
    assert.equal((await blocks.unblock("bob")).isBlocked, false);
    world.transport.answers.ListBlockedUsers = () => ({ userIds: ["bob"] });
    assert.deepEqual(await blocks.list(), { userIds: ["bob"], nextPageToken: undefined });
    await assert.rejects(blocks.block("No Name"), { reason: ErrorReason.INVALID_FIELD });
    await world.client.close();
  });

  for (const [reason, code] of [
    ["BLOCKED", Code.PERMISSION_DENIED],
    ["THREAD_NOT_FOUND", Code.NOT_FOUND],
  ] as const) {
    it(`a send refused with ${reason} has failed: at once if that is sure, else after a seal`, async () => {
      const world = await new ClientWorld().live();
      const refuse = (clientId: string, metadata: Record<string, string>) => {
        const errorInfo = { domain: "heddle", reason, metadata };
        const value = { clientId: fromHex(clientId), code, message: "no", errorInfo };
        world.transport.stream.hear({ case: "refused", value });
      };
      const sure = await world.client.send({ to: "bob" }, "hello?");
      await settled();
      refuse(sure.item.clientId, { committed: "never" });
      await assert.rejects(sure.outcome(), { reason: ErrorReason[reason] });
      world.transport.answers.ResolveSend = () => ({ outcome: { case: "never", value: {} } });
      const unsure = await world.client.send({ to: "bob" }, "hello?");
      await settled();
      refuse(unsure.item.clientId, {});
      await assert.rejects(unsure.outcome(), { reason: ErrorReason[reason] });
      assert.equal(world.transport.requests("ResolveSend").length, 1);
      await world.client.close();
    });
  }
});
