import assert from "node:assert/strict";
import { devTokens } from "../../internal/testing/trials/programs/heddle-process.ts";
import { RealServer } from "../../internal/testing/trials/programs/real-server.ts";
import { grpcTransport } from "../grpc/transport.ts";
import { type Client, type ClientEvent, connect, ErrorReason, type Thread } from "../index.ts";
import { webTransport } from "../web/transport.ts";

describe("Groups and blocks on a running Heddle", function () {
  this.timeout(60_000);
  const server = new RealServer();
  let names = 0;

  const newName = (base: string) => `${base}-${++names}`;

  /** A client of a user's, live. `web`: as a browser has it. */
  async function join(userId: string, how: "grpc" | "web" = "grpc", device = "one"): Promise<Client> {
    const { grpcUrl, webUrl } = server.addresses;
    const client = await connect({
      userId,
      deviceId: `${userId}-${device}`,
      transport: how === "grpc" ? grpcTransport({ url: grpcUrl }) : webTransport({ url: webUrl }),
      credentials: async () => (await devTokens(webUrl, [userId]))[userId] ?? "",
    });
    server.clients.add(client);
    await client.ready();
    return client;
  }

  /** Resolves once `isIt` holds, judged at first and after every event of the client. */
  function until(client: Client, isIt: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!isIt()) return;
        stop();
        resolve();
      };
      const stop = client.on(check);
      check();
    });
  }

  const texts = (client: Client, threadId: string) =>
    client.conversation(threadId).entries.map(({ body }) => (body.kind === "text" ? body.text : body.kind));
  const threadOf = (client: Client, threadId: string): Thread | undefined =>
    client.threads().find((thread) => thread.threadId === threadId);
  const has = (client: Client, threadId: string, text: string) =>
    until(client, () => texts(client, threadId).includes(text));

  it("bring a group to its members, live and to those who come later, in every kind of client", async () => {
    const [ann, bob, cleo] = [newName("ann"), newName("bob"), newName("cleo")];
    const [a, b] = [await join(ann), await join(bob, "web")];
    const { threadId, role, memberCount } = await a.groups.create("Weekend", [bob, cleo]);
    assert.deepEqual([role, memberCount], ["owner", 3]);
    await until(b, () => threadOf(b, threadId)?.name === "Weekend");
    await a.send({ threadId }, "hello all");
    await has(b, threadId, "hello all");
    assert.equal(threadOf(b, threadId)?.unread, 1);
    const send = await b.send({ threadId }, "hello ann");
    await has(a, threadId, "hello ann");
    await until(b, () => send.item.state === "delivered" || send.item.state === "read");
    a.markRead(threadId, send.item.seq ?? 0);
    await until(b, () => send.item.state === "read");
    const c = await join(cleo);
    await until(c, () => threadOf(c, threadId)?.unread === 2);
    await c.conversation(threadId).open();
    assert.deepEqual(texts(c, threadId), ["member_change", "hello all", "hello ann"]);
  });

  it("show a newcomer what is said from then on, and a leaver what was said until then", async () => {
    const [ann, bob, cleo] = [newName("ann"), newName("bob"), newName("cleo")];
    const [a, b, c] = [await join(ann), await join(bob), await join(cleo)];
    const { threadId } = await a.groups.create("Band", [bob]);
    await (await a.send({ threadId }, "before cleo")).outcome();
    await b.groups.add(threadId, [cleo]);
    await until(c, () => threadOf(c, threadId)?.memberCount === 3);
    assert.equal(threadOf(c, threadId)?.unread, 0);
    await (await a.send({ threadId }, "with cleo")).outcome();
    await has(c, threadId, "with cleo");
    const conversation = c.conversation(threadId);
    await conversation.open();
    assert.deepEqual(texts(c, threadId), ["member_change", "with cleo"]);
    assert.deepEqual([conversation.hasOlder, await conversation.older()], [false, []]);
    await assert.rejects(c.groups.remove(threadId, [bob]), { reason: ErrorReason.OWNER_REQUIRED });
    await a.groups.remove(threadId, [cleo]);
    await until(c, () => threadOf(c, threadId)?.hasLeft === true);
    await (await a.send({ threadId }, "after cleo")).outcome();
    await has(b, threadId, "after cleo");
    await assert.rejects(conversation.send("still there?"), { reason: ErrorReason.THREAD_NOT_FOUND });
    const again = await join(cleo, "web", "two");
    await until(again, () => threadOf(again, threadId)?.hasLeft === true);
    await again.conversation(threadId).open();
    assert.deepEqual(texts(again, threadId), ["member_change", "with cleo", "member_change"]);
    await a.groups.add(threadId, [cleo]);
    await until(c, () => threadOf(c, threadId)?.hasLeft === false);
    await (await c.send({ threadId }, "back again")).outcome();
    await has(b, threadId, "back again");
  });

  it("show one who came back what a new device of its shows, on a device that stayed", async () => {
    const [ann, cleo] = [newName("ann"), newName("cleo")];
    const [a, c] = [await join(ann), await join(cleo)];
    const { threadId } = await a.groups.create("Choir", [cleo]);
    const say = async (text: string) => await (await a.send({ threadId }, text)).outcome();
    await say("first stay");
    await has(c, threadId, "first stay");
    await a.groups.remove(threadId, [cleo]);
    await until(c, () => threadOf(c, threadId)?.hasLeft === true);
    await say("in between");
    await a.groups.add(threadId, [cleo]);
    await say("second stay");
    await has(c, threadId, "second stay");
    const seen = ["member_change", "first stay", "member_change", "member_change", "second stay"];
    assert.deepEqual(texts(c, threadId), seen);
    const again = await join(cleo, "web", "two");
    await until(again, () => threadOf(again, threadId) !== undefined);
    const conversation = again.conversation(threadId);
    await conversation.open();
    while (conversation.hasOlder) await conversation.older();
    assert.deepEqual(texts(again, threadId), seen);
    assert.deepEqual(conversation.entries, c.conversation(threadId).entries);
    const { members } = await a.groups.members(threadId);
    const spans = members.find(({ userId }) => userId === cleo)?.spans;
    assert.deepEqual(spans, [{ firstSeq: 1, lastSeq: 3 }, { firstSeq: 5 }]);
  });

  it("follow names and roles, pass ownership on, and list members page by page", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const [a, b] = [await join(ann), await join(bob)];
    const others = Array.from({ length: 210 }, (_, at) => `${ann}-guest-${at}`);
    const { threadId } = await a.groups.create("Large room", [bob, ...others]);
    await until(b, () => threadOf(b, threadId)?.memberCount === 212);
    await b.groups.rename(threadId, "Larger room");
    await until(a, () => threadOf(a, threadId)?.name === "Larger room");
    await assert.rejects(a.groups.setRole(threadId, ann, "member"), { reason: ErrorReason.LAST_OWNER });
    const page = await b.groups.members(threadId);
    assert.equal(page.members.length, 200);
    const rest = await b.groups.members(threadId, page.nextPageToken);
    assert.equal(rest.members.length, 12);
    await a.groups.setRole(threadId, bob, "owner");
    await until(b, () => threadOf(b, threadId)?.role === "owner");
    await a.groups.leave(threadId);
    await until(b, () => threadOf(b, threadId)?.memberCount === 211);
    assert.equal(threadOf(a, threadId)?.hasLeft, true);
  });

  it("are large above 256 members: everybody gets what is said, and nobody a tick for it", async () => {
    const [ann, bob, cleo] = [newName("ann"), newName("bob"), newName("cleo")];
    const [a, b, c] = [await join(ann), await join(bob, "web"), await join(cleo)];
    const guests = Array.from({ length: 254 }, (_, at) => `${ann}-guest-${at}`);
    const { threadId, isLarge } = await a.groups.create("Hall", [bob, ...guests]);
    assert.equal(isLarge, false);
    assert.equal((await a.groups.add(threadId, [cleo])).isLarge, true);
    await until(b, () => threadOf(b, threadId)?.isLarge === true);
    const send = await a.send({ threadId }, "is this on?");
    await send.outcome();
    await has(b, threadId, "is this on?");
    await has(c, threadId, "is this on?");
    b.markRead(threadId, send.item.seq ?? 0);
    const again = await join(bob, "grpc", "two");
    await until(again, () => threadOf(again, threadId)?.isLarge === true);
    await again.conversation(threadId).open();
    assert.ok(texts(again, threadId).includes("is this on?"));
    assert.equal(send.item.state, "sent");
  });

  it("say who is writing, and who did what", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const [a, b] = [await join(ann), await join(bob)];
    const events: ClientEvent[] = [];
    b.on((event) => events.push(event));
    const { threadId } = await a.groups.create("Talk", [bob]);
    await until(b, () => threadOf(b, threadId) !== undefined);
    a.typing(threadId);
    await until(b, () => b.typists(threadId).includes(ann));
    const made = events.find((event) => event.type === "entry");
    assert.ok(made?.type === "entry" && made.entry.body.kind === "member_change");
    assert.deepEqual(made.entry.body.added.map(({ userId }) => userId).sort(), [ann, bob]);
    assert.equal(made.entry.body.name, "Talk");
  });

  it("make one group of a creation that is repeated, and the same members, whichever is asked", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const [a, b] = [await join(ann), await join(bob, "web")];
    const made = await Promise.all([a.groups.create("Once", [bob]), a.groups.create("Twice", [bob])]);
    assert.equal(new Set(made.map(({ threadId }) => threadId)).size, 2);
    const [{ threadId } = assert.fail()] = made;
    await until(b, () => made.every((thread) => threadOf(b, thread.threadId)));
    assert.deepEqual(await a.groups.members(threadId), await b.groups.members(threadId));
    assert.equal((await a.groups.add(threadId, [bob])).memberCount, 2, "nothing had to change");
  });

  it("block both ways, in words that the blocked understands, until it is taken back", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const [a, b] = [await join(ann), await join(bob, "web")];
    const hello = await (await a.send({ to: bob }, "hello")).outcome();
    await until(b, () => threadOf(b, hello.threadId)?.unread === 1);
    assert.equal((await a.blocks.block(bob)).isBlocked, true);
    assert.deepEqual((await a.blocks.list()).userIds, [bob]);
    for (const [client, to, by] of [
      [b, ann, "other"],
      [a, bob, "self"],
    ] as const) {
      const send = await client.send({ to }, "can you hear me?");
      await assert.rejects(send.outcome(), (error: Error & { metadata?: Record<string, string> }) => {
        assert.equal((error as { reason?: ErrorReason }).reason, ErrorReason.BLOCKED);
        assert.equal(error.metadata?.by, by);
        return true;
      });
      assert.equal(send.item.state, "failed");
      await client.discard(send.item.clientId);
    }
    assert.equal(threadOf(b, hello.threadId)?.isBlocked, false, "the blocked user is not told by the row");
    const { threadId } = await a.groups.create("Neutral ground", []);
    await assert.rejects(a.groups.add(threadId, [bob]), { reason: ErrorReason.BLOCKED });
    assert.equal((await a.blocks.unblock(bob)).isBlocked, false);
    await (await b.send({ to: ann }, "thank you")).outcome();
    await has(a, hello.threadId, "thank you");
  });
});
