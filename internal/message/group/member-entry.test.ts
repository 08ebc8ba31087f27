import assert from "node:assert/strict";
import { create, fromBinary } from "@bufbuild/protobuf";
import type { RosterEntry } from "../../base/group.ts";
import { BodySchema, EntryCellSchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { textBody } from "../../testing/fakes/message/message-samples.ts";
import { encodeRequest, entryBody, memberChangeOf, previousOf, rosterEntryOf } from "./member-entry.ts";
import { applyEntry, EMPTY_ROSTER } from "./roster.ts";

const first: RosterEntry = {
  threadId: new Uint8Array(16),
  seq: 1,
  ordinal: 0,
  previousSeq: 0,
  createdAtMs: 7,
  sender: "ann",
  requestId: new Uint8Array(16).fill(1),
  name: "weft",
  added: [
    { userId: "ann", role: "owner" },
    { userId: "bob", role: "member" },
  ],
  removed: [],
  changed: [],
  memberCount: 2,
  isLarge: false,
};
const group = applyEntry(EMPTY_ROSTER, first);

describe("A member or setting entry", () => {
  it("says in the log all that the projection needs", () => {
    assert.deepEqual(readBack(first, EMPTY_ROSTER), first);
    const removal: RosterEntry = { ...first, seq: 5, ordinal: 3, previousSeq: 1, name: undefined, added: [] };
    const leave = {
      ...removal,
      removed: ["ann"],
      changed: [{ userId: "bob", role: "owner" as const }],
      memberCount: 1,
    };
    assert.deepEqual(readBack(leave, group), leave);
  });

  it("with a name is a setting entry, but for the first", () => {
    const renamed: RosterEntry = { ...first, seq: 4, previousSeq: 1, name: "warp", added: [] };
    assert.equal(fromBinary(BodySchema, entryBody(renamed)).kind.case, "settingChange");
    assert.deepEqual(readBack(renamed, group), renamed);
    assert.equal(fromBinary(BodySchema, entryBody(first)).kind.case, "memberChange");
  });

  it("names the one before it, and who comes and goes; a message does neither", () => {
    const body = fromBinary(BodySchema, entryBody({ ...first, seq: 9, previousSeq: 4, name: undefined }));
    assert.equal(previousOf(body), 4);
    assert.deepEqual(memberChangeOf(body), { added: ["ann", "bob"], removed: [] });
    assert.equal(previousOf(textBody("hi")), undefined);
    assert.equal(memberChangeOf(textBody("hi")), undefined);
  });
});

describe("A request", () => {
  it("has one hash whatever the order of its users, and another for other arguments", () => {
    const hash = (userIds: string[]) => encodeRequest({ kind: "add", userIds }).hash.toString();
    assert.equal(hash(["cid", "bob"]), hash(["bob", "cid", "bob"]));
    assert.notEqual(hash(["bob"]), hash(["cid"]));
    const removal = encodeRequest({ kind: "remove", userIds: ["bob"] });
    assert.notEqual(hash(["bob"]), removal.hash.toString());
    assert.equal(removal.isMessage, false);
  });
});

function readBack(entry: RosterEntry, before = EMPTY_ROSTER): RosterEntry {
  const { sender, requestId: clientId } = entry;
  const cell = create(EntryCellSchema, {
    sender,
    clientId,
    ordinal: BigInt(entry.ordinal),
    createdAtMs: BigInt(entry.createdAtMs),
    body: fromBinary(BodySchema, entryBody(entry)),
  });
  return rosterEntryOf(entry.threadId, entry.seq, cell, before);
}
