import assert from "node:assert/strict";
import { groupTopic, type Publication } from "../../base/publication.ts";
import { threadOf } from "../../testing/worlds/push/push-world.ts";
import { HELD_ENTRIES } from "../limits.ts";
import type { Membership } from "../ports.ts";
import type { Position } from "../session/behind-threads.ts";
import { type GroupEffects, GroupTopic, type LocalUser } from "./group-topic.ts";

const THREAD = threadOf(1);
const ANN = { userId: "ann" };
const BOB = { userId: "bob" };

interface EventInit {
  readonly after?: number;
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly kind?: Publication["kind"];
}

/** An event of the group: an entry, unless it says otherwise, after the member entry `after`. */
function event(
  seq: number,
  { after = 1, added = [], removed = [], kind = "entry" }: EventInit = {},
): Publication {
  const isChange = added.length + removed.length > 0;
  return {
    kind,
    topics: [groupTopic(THREAD)],
    frame: new Uint8Array(0),
    thread: THREAD,
    seq,
    ordinal: seq,
    userId: "cyn",
    originSession: "",
    group: isChange ? { membersSeq: after, change: { added, removed } } : { membersSeq: after },
  };
}

function as(seq: number, joined: Record<string, number>, membersSeq = 1): Membership {
  return { seq, ordinal: seq, membersSeq, isLarge: false, joined: new Map(Object.entries(joined)) };
}

/** The rules, with ann and bob online, and everything they do, in words. */
class Told implements GroupEffects<LocalUser> {
  said: string[] = [];
  readonly rules = new GroupTopic<LocalUser>(this);

  online(userId: string): LocalUser | undefined {
    return [ANN, BOB].find((one) => one.userId === userId);
  }
  forward({ userId }: LocalUser, { kind, seq }: Publication): void {
    this.said.push(`${userId} ${kind} ${seq}`);
  }
  behind({ userId }: LocalUser, { seq }: Position): void {
    this.said.push(`${userId} behind ${seq}`);
  }
  compare({ userId }: LocalUser): void {
    this.said.push(`${userId} compare`);
  }
  came({ userId }: LocalUser): void {
    this.said.push(`${userId} came`);
  }
  left({ userId }: LocalUser): void {
    this.said.push(`${userId} left`);
  }
  unknown(): void {}
  known({ userId }: LocalUser): void {
    this.said.push(`${userId} known`);
  }
  readMembers(): void {
    this.said.push("read");
  }

  /** What has been done since the last time. */
  get news(): string[] {
    return this.said.splice(0);
  }
}

/** Ann and bob are members since entry 1, and the topic is in step up to `seq`. */
function inStep(seq = 5): Told {
  const told = new Told();
  told.rules.enter(ANN);
  told.rules.enter(BOB);
  assert.ok(told.rules.answered(told.rules.usersToAsk(10), as(seq, { ann: 1, bob: 1 })));
  assert.deepEqual(told.news, ["read", "read", "ann known", "bob known"]);
  return told;
}

describe("GroupTopic", () => {
  it("forwards entries in order, receipts and typing to the members, and drops what comes again", () => {
    const told = inStep();
    told.rules.deliver(event(6));
    told.rules.deliver(event(6));
    told.rules.deliver(event(3));
    told.rules.deliver(event(0, { kind: "receipt" }));
    told.rules.deliver(event(0, { kind: "typing" }));
    assert.deepEqual(told.news, [
      "ann entry 6",
      "bob entry 6",
      "ann receipt 0",
      "bob receipt 0",
      "ann typing 0",
      "bob typing 0",
    ]);
  });

  it("tells nobody that one writes oneself", () => {
    const told = inStep();
    told.rules.deliver({ ...event(0, { kind: "typing" }), userId: "ann" });
    told.rules.deliver({ ...event(0, { kind: "receipt" }), userId: "ann" });
    assert.deepEqual(told.news, ["bob typing 0", "ann receipt 0", "bob receipt 0"]);
  });

  it("gives a user nothing before its membership has been read", () => {
    const told = inStep();
    told.rules.leave(BOB);
    const again = { userId: "bob" };
    told.rules.enter(again);
    const asked = told.rules.usersToAsk(10);
    assert.deepEqual(asked, [again]);
    told.rules.deliver(event(6));
    assert.deepEqual(told.news, ["read", "ann entry 6"]);
    told.rules.answered(asked, as(5, { bob: 1 }));
    told.rules.deliver(event(7));
    assert.deepEqual(told.news, ["bob known", "ann entry 7", "bob entry 7"]);
  });

  it("asks for so many at a time, and goes on with the others", () => {
    const told = new Told();
    told.rules.enter(ANN);
    told.rules.enter(BOB);
    told.rules.answered(told.rules.usersToAsk(1), as(5, { ann: 1 }));
    assert.ok(told.rules.isReadDue);
    told.rules.answered(told.rules.usersToAsk(1), as(5, { bob: 1 }));
    assert.ok(!told.rules.isReadDue);
  });

  it("takes a newcomer in with the entry that adds it, which is its first, and compares", () => {
    const told = inStep();
    told.rules.leave(BOB);
    told.rules.deliver(event(6, { added: ["bob", "dan"] }));
    told.rules.addedThroughInbox(BOB, event(6, { added: ["bob", "dan"] }));
    assert.deepEqual(told.news, ["bob came", "bob compare", "ann entry 6", "bob entry 6"]);
  });

  it("gives one who was removed the entry that says so, and nothing after it", () => {
    const told = inStep();
    told.rules.deliver(event(6, { removed: ["bob"] }));
    told.rules.deliver(event(7, { after: 6 }));
    told.rules.deliver(event(9, { after: 6 }));
    assert.deepEqual(told.news, ["ann entry 6", "bob entry 6", "bob left", "ann entry 7", "ann behind 9"]);
    assert.ok(!told.rules.isEmpty);
  });

  it("says behind where entries are missing, but none that changes members", () => {
    const told = inStep();
    told.rules.deliver(event(8));
    told.rules.deliver(event(9));
    assert.deepEqual(told.news, ["ann behind 8", "bob behind 8", "ann entry 9", "bob entry 9"]);
  });

  it("forwards nothing after a member entry that did not come, until members have been read", () => {
    const told = inStep();
    told.rules.deliver(event(8, { after: 7 }));
    told.rules.deliver(event(9, { after: 7 }));
    told.rules.deliver(event(0, { after: 7, kind: "receipt" }));
    assert.deepEqual(told.news, ["read"]);
    assert.ok(told.rules.answered(told.rules.usersToAsk(10), as(8, { ann: 1 }, 7)));
    assert.deepEqual(
      told.news,
      ["ann behind 9", "bob compare", "bob left"],
      "bob, removed, hears of no later one",
    );
    told.rules.deliver(event(10, { after: 7 }));
    assert.deepEqual(told.news, ["ann entry 10"]);
  });

  it("says behind for a receipt that names a member entry that did not come; drops typing", () => {
    const told = inStep();
    told.rules.deliver(event(0, { after: 6, kind: "typing" }));
    assert.deepEqual(told.news, []);
    told.rules.deliver(event(0, { after: 6, kind: "receipt" }));
    told.rules.answered(told.rules.usersToAsk(10), as(6, { ann: 1, bob: 1 }, 6));
    assert.deepEqual(told.news, ["read", "ann behind 6", "bob behind 6"]);
  });

  it("lets one who left and came back meanwhile compare: its first entry is another", () => {
    const told = inStep();
    told.rules.deliver(event(9, { after: 8 }));
    told.rules.answered(told.rules.usersToAsk(10), as(9, { ann: 1, bob: 8 }, 8));
    assert.deepEqual(told.news, ["read", "ann behind 9", "bob compare"]);
  });

  it("does not believe an answer that is older than what it no longer holds", () => {
    const told = inStep();
    const last = 8 + HELD_ENTRIES;
    for (let seq = 8; seq <= last; seq++) told.rules.deliver(event(seq, { after: 7 }));
    assert.ok(!told.rules.answered(told.rules.usersToAsk(10), as(last - 1, { ann: 1, bob: 1 }, 7)));
    assert.deepEqual(told.news, ["read"]);
    assert.ok(told.rules.answered(told.rules.usersToAsk(10), as(last, { ann: 1, bob: 1 }, 7)));
    assert.deepEqual(told.news, [`ann behind ${last}`, `bob behind ${last}`]);
  });

  it("does not take what an answer knows already for news", () => {
    const told = inStep();
    told.rules.leave(BOB);
    const again = { userId: "bob" };
    told.online = (userId) => (userId === "bob" ? again : ANN);
    told.rules.enter(again);
    told.rules.answered(told.rules.usersToAsk(10), as(7, { bob: 7 }, 7)); // Bob left with 6 and came back with 7.
    told.rules.deliver(event(6, { removed: ["bob"] }));
    told.rules.deliver(event(7, { after: 6, added: ["bob"] }));
    told.rules.deliver(event(8, { after: 7, removed: ["bob"] }));
    assert.deepEqual(told.news.slice(2), [
      "ann entry 6",
      "ann entry 7",
      "bob entry 7",
      "ann entry 8",
      "bob entry 8",
      "bob left",
    ]);
  });

  it("reads again for one that its inbox has told of a later entry than the answer knows", () => {
    const told = new Told();
    told.rules.enter(BOB);
    const asked = told.rules.usersToAsk(10);
    told.rules.addedThroughInbox(BOB, event(9, { after: 8, added: ["bob"] }));
    told.rules.answered(asked, as(8, {}, 8));
    assert.ok(told.rules.isReadDue);
    told.rules.answered(told.rules.usersToAsk(10), as(9, { bob: 9 }, 9));
    assert.deepEqual(told.news, ["read", "bob entry 9", "bob known"]);
  });

  it("lets go of all who wait when there is no such group", () => {
    const told = new Told();
    told.rules.enter(BOB);
    told.rules.refused(told.rules.usersToAsk(10));
    assert.deepEqual(told.news, ["read", "bob known", "bob left"]);
    assert.ok(told.rules.isEmpty);
  });
});
