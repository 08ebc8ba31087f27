import assert from "node:assert/strict";
import type { Entry, EntryBody, MemberChange } from "../model/model.ts";
import { changeText } from "./change-text.ts";

const entry = (body: EntryBody, sender = "ann"): Entry => ({
  ...{ threadId: "ab".repeat(16), seq: 1, sender, clientId: "cd".repeat(16), baseSeq: 0 },
  ...{ ordinal: 0, createdAtMs: 1, body },
});
const change = (more: Partial<MemberChange>): MemberChange => ({
  ...{ kind: "member_change", added: [], removed: [], changed: [] },
  ...{ name: undefined, memberCount: 2, isLarge: false, ...more },
});
const members = (...names: string[]) => names.map((userId) => ({ userId, role: "member" }) as const);
const owner = (userId: string) => ({ userId, role: "owner" }) as const;
const said = (more: Partial<MemberChange>, sender?: string, userId = "zoe") =>
  changeText(entry(change(more), sender), userId);

describe("A change of a group in words", () => {
  it("says who came, who went, and who did it", () => {
    const first = { name: "Weekend", added: [owner("ann"), ...members("bob", "cleo")] };
    assert.equal(said(first), "ann made the group “Weekend” with bob and cleo");
    assert.equal(said({ name: "Alone", added: [owner("ann")] }), "ann made the group “Alone”");
    assert.equal(said({ added: members("bob", "cleo") }), "ann added bob and cleo");
    assert.equal(said({ removed: ["bob"] }), "ann removed bob");
    assert.equal(said({ removed: ["ann"] }), "ann left");
    assert.equal(said({ removed: ["ann"], changed: [owner("bob")] }), "ann left; bob is an owner now");
    assert.equal(said({ changed: [owner("bob")] }), "ann made bob an owner");
    const lower = said({ changed: members("bob") });
    assert.equal(lower, "ann made bob a member without an owner’s rights");
    assert.equal(
      changeText(entry({ kind: "setting_change", name: "Sunday" }), "bob"),
      "ann named the group “Sunday”",
    );
  });

  it("says you to the user it is about, and counts those who are too many to name", () => {
    assert.equal(said({ added: members("bob") }, "ann", "ann"), "You added bob");
    assert.equal(said({ added: members("bob", "ann") }, "cleo", "ann"), "cleo added bob and you");
    assert.equal(
      said({ removed: ["bob"], changed: [owner("ann")] }, "bob", "ann"),
      "bob left; you are an owner now",
    );
    const many = Array.from({ length: 256 }, (_, at) => `u${at}`);
    assert.equal(said({ added: members(...many) }), "ann added u0, u1, u2, u3, u4, u5, u6 and 249 others");
  });

  it("says nothing of other entries", () => {
    assert.equal(changeText(entry({ kind: "text", text: "hi" }), "ann"), undefined);
  });
});
