import assert from "node:assert/strict";
import fc from "fast-check";
import { type GroupChange, MAX_MEMBERS, type Roster, type RosterEntry } from "../../base/group.ts";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { applyEntry, type Draft, EMPTY_ROSTER, judgeChange } from "./roster.ts";

describe("A change of a group (docs/design.md, sections 5 to 7)", () => {
  it("creates it with the caller as its owner, and each other once", () => {
    const change = { kind: "create", name: "weft", userIds: ["bob", "ann", "bob"] } as const;
    assert.deepEqual(judgeChange(EMPTY_ROSTER, "ann", change), {
      name: "weft",
      added: [
        { userId: "ann", role: "owner" },
        { userId: "bob", role: "member" },
      ],
      removed: [],
      changed: [],
      memberCount: 2,
      isLarge: false,
    });
  });

  it("adds those who are no members, by any member", () => {
    const draft = judged("bob", { kind: "add", userIds: ["ann", "dee", "eve"] });
    assert.deepEqual(
      draft?.added.map(({ userId, role }) => `${userId} ${role}`),
      ["dee member", "eve member"],
    );
    assert.equal(draft?.memberCount, 5);
    assert.equal(judged("bob", { kind: "add", userIds: ["ann"] }), undefined);
  });

  it("removes others who are members, by an owner", () => {
    assert.deepEqual(judged("ann", { kind: "remove", userIds: ["bob", "eve"] })?.removed, ["bob"]);
    assert.equal(judged("ann", { kind: "remove", userIds: ["eve"] }), undefined);
    refuses("bob", { kind: "remove", userIds: ["cid"] }, ErrorReason.OWNER_REQUIRED);
    refuses("ann", { kind: "remove", userIds: ["ann"] }, ErrorReason.INVALID_FIELD);
  });

  it("lets a member leave, and makes the member of longest standing an owner where none is left", () => {
    assert.deepEqual(judged("bob", { kind: "leave" })?.removed, ["bob"]);
    assert.deepEqual(judged("bob", { kind: "leave" })?.changed, []);
    // Of bob and cid, who came at once, the first by name.
    assert.deepEqual(judged("ann", { kind: "leave" })?.changed, [{ userId: "bob", role: "owner" }]);
    const rejoined = play(group, "bob", { kind: "leave" }, "ann", { kind: "add", userIds: ["bob"] });
    assert.deepEqual(judgeChange(rejoined, "ann", { kind: "leave" })?.changed, [
      { userId: "cid", role: "owner" },
    ]);
  });

  it("gives roles, by an owner, and keeps one", () => {
    assert.deepEqual(judged("ann", { kind: "role", userId: "bob", role: "owner" })?.changed, [
      { userId: "bob", role: "owner" },
    ]);
    assert.equal(judged("ann", { kind: "role", userId: "bob", role: "member" }), undefined);
    refuses("bob", { kind: "role", userId: "bob", role: "owner" }, ErrorReason.OWNER_REQUIRED);
    refuses("ann", { kind: "role", userId: "eve", role: "owner" }, ErrorReason.MEMBER_NOT_FOUND, {
      user: "eve",
    });
    refuses("ann", { kind: "role", userId: "ann", role: "member" }, ErrorReason.LAST_OWNER);
  });

  it("renames it, if the name is another", () => {
    assert.equal(judged("bob", { kind: "rename", name: "warp" })?.name, "warp");
    assert.equal(judged("bob", { kind: "rename", name: "weft" }), undefined);
  });

  it("is nobody's who is no member", () => {
    for (const change of [{ kind: "leave" }, { kind: "add", userIds: ["eve"] }] as const)
      refuses("eve", change, ErrorReason.THREAD_NOT_FOUND);
  });

  it("makes it large with the 257th member, for good, and fills it with the 10,000th", () => {
    const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => `u${from + at}`);
    const full = play(group, "ann", { kind: "add", userIds: many(0, 253) });
    assert.deepEqual([full.members.size, full.isLarge], [256, false]);
    const large = play(full, "ann", { kind: "add", userIds: ["eve"] });
    assert.equal(large.isLarge, true);
    assert.equal(play(large, "ann", { kind: "remove", userIds: many(0, 200) }).isLarge, true);
    let fuller = large;
    for (let n = 1_000; fuller.members.size < MAX_MEMBERS; n += 256) {
      const count = Math.min(256, MAX_MEMBERS - fuller.members.size);
      fuller = play(fuller, "ann", { kind: "add", userIds: many(n, count) });
    }
    const one = { kind: "add", userIds: ["zed"] } as const;
    assert.throws(() => judgeChange(fuller, "ann", one), reason(ErrorReason.GROUP_FULL));
  });
});

describe("A roster", () => {
  it("always has an owner while it has members, and counts them right", () => {
    const names = fc.constantFrom("ann", "bob", "cid", "dee");
    const change: fc.Arbitrary<GroupChange> = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), userIds: fc.array(names) }),
      fc.record({ kind: fc.constant("remove" as const), userIds: fc.array(names) }),
      fc.record({ kind: fc.constant("leave" as const) }),
      fc.record({
        kind: fc.constant("role" as const),
        userId: names,
        role: fc.constantFrom("owner" as const, "member" as const),
      }),
    );
    const property = fc.property(fc.array(fc.tuple(names, change), { maxLength: 30 }), (history) => {
      let roster = group;
      for (const [userId, asked] of history) {
        let draft: Draft | undefined;
        try {
          draft = judgeChange(roster, userId, asked);
        } catch (error) {
          assert.ok(error instanceof HeddleError);
        }
        if (!draft) continue;
        roster = applyEntry(roster, entryOf(roster, userId, draft));
        assert.equal(roster.members.size, draft.memberCount);
        const owners = [...roster.members.values()].filter(({ role }) => role === "owner");
        assert.ok(owners.length > 0 || roster.members.size === 0);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});

/** Ann's group with bob and cid, called weft. */
const group = play(EMPTY_ROSTER, "ann", { kind: "create", name: "weft", userIds: ["bob", "cid"] });

function judged(userId: string, change: GroupChange): Draft | undefined {
  return judgeChange(group, userId, change);
}

function refuses(userId: string, change: GroupChange, expected: ErrorReason, metadata = {}): void {
  assert.throws(
    () => judgeChange(group, userId, change),
    (error) => {
      assert.ok(reason(expected)(error), String(error));
      for (const [key, value] of Object.entries(metadata))
        assert.equal((error as HeddleError).metadata[key], value);
      return true;
    },
  );
}

/** The roster after changes, each by the user before it. */
function play(roster: Roster, ...steps: readonly (string | GroupChange)[]): Roster {
  let after = roster;
  for (let at = 0; at < steps.length; at += 2) {
    const userId = steps[at] as string;
    const draft = judgeChange(after, userId, steps[at + 1] as GroupChange);
    if (draft) after = applyEntry(after, entryOf(after, userId, draft));
  }
  return after;
}

function entryOf(roster: Roster, sender: string, draft: Draft): RosterEntry {
  const place = { threadId: new Uint8Array(16), seq: roster.appliedSeq + 1, ordinal: 0 };
  const made = { previousSeq: roster.appliedSeq, createdAtMs: 0, sender, requestId: new Uint8Array(16) };
  return { ...place, ...made, ...draft };
}

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
