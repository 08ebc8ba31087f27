import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { rendezvousOrder } from "../base/rendezvous.ts";
import type { Member } from "../base/ring.ts";
import type { Accepted, Send, Settle } from "../base/send.ts";
import { directThreadId } from "../base/thread-id.ts";
import type { Messages } from "../push/ports.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { clientIdOf, type SendSample, sendOf } from "../testing/fakes/message/message-samples.ts";
import { MessageServers } from "../testing/fakes/message/message-servers.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { RoutedLog } from "./routed-log.ts";
import { RoutedMessages, type TimedMessages } from "./routed-messages.ts";

/** What becomes of the answers of one server. */
type Way = "open" | "closed" | "silent";

/** A push server's view of "a" and "b", whose answers may be lost. */
function routed() {
  const world = new MessageServers();
  const threadId = directThreadId("ann", "bob");
  const [owner = "", other = ""] = rendezvousOrder(world.ring.view().members, hex(threadId)).map(
    ({ name }) => name,
  );
  const ways = new Map<string, Way>();
  /** "a 1": which server got a send, as which attempt. */
  const asked: string[] = [];
  const at = (member: Member): TimedMessages => {
    const server = world.server(member.name);
    const way = ways.get(member.name) ?? "open";
    const answer = <T>(call: () => Promise<T>): Promise<T> =>
      way === "open" ? call() : Promise.reject(peerUnavailable("message"));
    const send = (sent: Send, settle: Settle, budgetMs = 0) => {
      asked.push(`${member.name} ${sent.attempt}`);
      if (way === "closed") settle(peerUnavailable("message"));
      else if (way === "open") server.send(sent, settle);
      else {
        server.send(sent, () => {});
        world.clock.after(budgetMs, () => settle(peerUnavailable("message")));
      }
    };
    const messages: Messages = {
      send,
      raiseReceipt: (receipt) => answer(() => server.raiseReceipt(receipt)),
      flushReceipts: (userId) => answer(() => server.flushReceipts(userId)),
      typing: (typing) => answer(() => server.typing(typing)),
      membership: (...about) => answer(() => server.membership(...about)),
    };
    return messages;
  };
  const messages = new RoutedMessages({ clock: world.clock, ring: world.ring, at });
  const logOf = ({ name }: Member) => logAt(world, name, ways, asked);
  const log = new RoutedLog({ clock: world.clock, ring: world.ring, at: logOf });
  const send = (sample: SendSample = {}) =>
    new Promise<Accepted | HeddleError>((resolve) => messages.send(sendOf(sample), resolve));
  return { world, threadId, owner, other, ways, asked, messages, log, send };
}

function logAt(world: MessageServers, name: string, ways: ReadonlyMap<string, Way>, asked: string[]) {
  asked.push(name);
  if (ways.get(name) !== "closed") return world.server(name);
  const closed = () => Promise.reject(peerUnavailable("message"));
  return {
    heads: closed,
    unread: closed,
    entryTimes: closed,
    change: closed,
    raiseEpoch: closed,
    writers: closed,
  };
}

function accepted(outcome: Accepted | HeddleError): Accepted {
  assert.ok(!(outcome instanceof HeddleError), String(outcome));
  return outcome;
}

function refused(outcome: Accepted | HeddleError): HeddleError {
  assert.ok(outcome instanceof HeddleError, "it was accepted");
  return outcome;
}

describe("Message servers behind a push server", () => {
  it("get the sends of a thread where it is remembered: 20 are published 20 times", async () => {
    const { world, asked, owner, send } = routed();
    for (let n = 1; n <= 20; n++) accepted(await send({ clientId: clientIdOf(n), baseSeq: n - 1 }));
    assert.deepEqual(
      world.takePublications("entry").map(({ seq }) => seq),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    assert.deepEqual(new Set(asked), new Set([`${owner} 1`]));
  });

  it("share threads", async () => {
    const { world, asked, send } = routed();
    for (let n = 1; n <= 40; n++) await send({ clientId: clientIdOf(n), toUserId: `user-${n}` });
    for (const { name } of world.ring.view().members) {
      const count = asked.filter((one) => one.startsWith(name)).length;
      assert.ok(count >= 8 && count <= 32, `${name}: ${count} of 40`);
    }
  });

  it("are asked one after the other, each time as a later attempt", async () => {
    const { asked, owner, other, ways, send } = routed();
    ways.set(owner, "closed");
    accepted(await send());
    assert.deepEqual(asked, [`${owner} 1`, `${other} 2`]);
  });

  it("say nothing for certain of a send that another one may still commit", async () => {
    const { world, threadId, owner, ways, send } = routed();
    await world.direct(1);
    ways.set(owner, "silent");
    // The first one has it, and may commit it when it gets through; meanwhile ann blocks bob.
    world.store.onAppend = (apply) =>
      new Promise((resolve) => world.clock.after(3_000, () => resolve(apply())));
    const outcome = send({ userId: "bob", threadId, clientId: clientIdOf(9) });
    await quiet();
    world.store.onAppend = undefined;
    await world.block("a");
    await world.pass(7_000);
    const refusal = refused(await outcome);
    assert.deepEqual([refusal.reason, refusal.committedNever], [ErrorReason.BLOCKED, false]);
  });

  it("find a send that the first one committed before its answer was lost", async () => {
    const { world, owner, other, ways, asked, send } = routed();
    ways.set(owner, "silent");
    const outcome = send();
    await world.pass(6_100);
    assert.deepEqual([accepted(await outcome).seq, accepted(await outcome).duplicate], [1, true]);
    assert.deepEqual(asked, [`${owner} 1`, `${other} 2`]);
  });

  it("are asked after the others for 10 s where they did not answer: the next send does not wait for one again", async () => {
    const { world, owner, other, ways, asked, send } = routed();
    ways.set(owner, "silent");
    const first = send();
    await world.pass(6_100);
    accepted(await first);
    accepted(await send({ clientId: clientIdOf(2), baseSeq: 1 }));
    assert.deepEqual(asked.splice(0), [`${owner} 1`, `${other} 2`, `${other} 1`]);
    ways.set(owner, "open");
    await world.pass(10_000);
    accepted(await send({ clientId: clientIdOf(3), baseSeq: 2 }));
    assert.deepEqual(asked.splice(0), [`${owner} 1`]);
  });

  it("are asked all the same where none answered", async () => {
    const { world, owner, other, ways, asked, send } = routed();
    for (const name of [owner, other]) ways.set(name, "silent");
    const first = send();
    await world.pass(10_000);
    refused(await first);
    for (const name of [owner, other]) ways.set(name, "open");
    asked.length = 0;
    accepted(await send());
    assert.deepEqual(asked, [`${owner} 1`]);
  });

  it("are given up on within 10 s, outcome unknown, where all hang", async () => {
    const { world, owner, other, ways, send } = routed();
    ways.set(owner, "silent");
    ways.set(other, "silent");
    const outcome = send();
    await world.pass(10_000);
    const refusal = refused(await outcome);
    assert.deepEqual([refusal.code, refusal.committedNever], [Code.UNAVAILABLE, false]);
  });

  it("refuse what is refused without asking another", async () => {
    const { asked, owner, send, threadId } = routed();
    const refusal = refused(await send({ userId: "eve", threadId }));
    assert.deepEqual([refusal.reason, refusal.committedNever], [ErrorReason.THREAD_NOT_FOUND, true]);
    assert.deepEqual(asked, [`${owner} 1`]);
  });

  it("are not concluded to be none from a mirror that is not loaded, and are asked while it is stale", async () => {
    const { world, send } = routed();
    const names = ["a", "b"];
    world.ring.set(names, "not_loaded");
    const refusal = refused(await send());
    assert.deepEqual([refusal.code, refusal.reason], [Code.UNAVAILABLE, ErrorReason.PEER_UNAVAILABLE]);
    assert.equal(refusal.committedNever, false);
    world.ring.set(names, "stale");
    accepted(await send({ attempt: 2 }));
  });

  it("take positions, typing and questions of members; another one does where the owner is away", async () => {
    const { world, threadId, ways, owner, messages } = routed();
    const groupId = await world.group();
    await world.direct(3);
    for (const way of ["open", "closed"] as const) {
      ways.set(owner, way);
      world.takePublications();
      await messages.typing({ userId: "bob", threadId, originSession: "" });
      assert.equal(world.takePublications("typing").length, 1, way);
      await messages.raiseReceipt({
        userId: "bob",
        threadId,
        deliveredSeq: 0,
        readSeq: 2,
        originSession: "",
      });
      const { joined } = await messages.membership(groupId, ["bob", "eve"]);
      assert.deepEqual([...joined.keys()], ["bob"], way);
    }
    ways.set(owner, "open");
    await messages.flushReceipts("bob");
    assert.equal((await world.rows.get("bob", [threadId]))[0]?.readSeq, 2);
  });
});

describe("Message servers behind a thread server", () => {
  it("are asked about their own threads, and answer as one", async () => {
    const { world, asked, log, ways, owner, other } = routed();
    const threadIds: Uint8Array[] = [];
    for (let n = 1; n <= 12; n++)
      threadIds.push(
        accepted(await world.send("a", { clientId: clientIdOf(n), toUserId: `user-${n}` })).threadId,
      );
    for (const way of ["open", "closed"] as const) {
      ways.set(owner, way);
      asked.length = 0;
      const heads = await log.heads(threadIds.map((threadId) => ({ threadId, headBucket: 0 })));
      assert.deepEqual(
        threadIds.map((threadId) => heads.get(hex(threadId))?.seq),
        threadIds.map(() => 1),
      );
      assert.deepEqual(new Set(asked), new Set([owner, other]));
      const times = await log.entryTimes(threadIds.map((threadId) => ({ threadId, seq: 1 })));
      assert.equal(times.size, 12);
      const row = { readSeq: 0, readOrdinal: 0 };
      const head = { seq: 1, ordinal: 1 };
      const unread = await log.unread("user-3", [{ threadId: threadIds[2] ?? assert.fail(), head, row }]);
      assert.deepEqual(
        [...unread.values()].map((one) => one.unread),
        [1],
      );
    }
  });

  it("make a change once that is asked of two of them, and raise an epoch through either", async () => {
    const { world, threadId, log, ways, owner } = routed();
    await world.direct(1);
    const groupId = await world.group();
    const requestId = clientIdOf(77);
    const change = { kind: "add", userIds: ["dan"] } as const;
    const made = await log.change({ threadId: groupId, userId: "ann", requestId, change });
    ways.set(rendezvousOrder(world.ring.view().members, hex(groupId))[0]?.name ?? "", "closed");
    assert.deepEqual(await log.change({ threadId: groupId, userId: "ann", requestId, change }), made);
    ways.clear();
    ways.set(owner, "closed");
    await log.raiseEpoch(threadId);
    assert.ok((await log.writers(threadId)).writers.has("ann"));
  });

  it("reject as the last one that was asked", async () => {
    const { world, log, ways } = routed();
    const threadId = directThreadId("ann", "bob");
    for (const name of ["a", "b"]) ways.set(name, "closed");
    const away = { reason: ErrorReason.PEER_UNAVAILABLE };
    await assert.rejects(log.heads([{ threadId, headBucket: 0 }]), away);
    await assert.rejects(log.raiseEpoch(threadId), away);
    world.ring.set([], "known");
    await assert.rejects(log.heads([{ threadId, headBucket: 0 }]), away);
  });
});
