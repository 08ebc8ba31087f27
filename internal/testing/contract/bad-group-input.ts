import { randomBytes } from "node:crypto";
import { directThreadId, groupThreadId } from "../../base/thread-id.ts";
import { MemberRole } from "../../gen/heddle/message/v1/entry_pb.js";
import { MessageService } from "../../gen/heddle/message/v1/message_service_pb.js";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { goodSend, type Target, type Told } from "./bad-input-target.ts";

const {
  createGroup,
  addMembers,
  removeMembers,
  leaveGroup,
  renameGroup,
  setMemberRole,
  listMembers,
  blockUser,
  unblockUser,
} = ThreadService.method;
const { send, listEntries } = MessageService.method;

/** A new one each time: a repeated one would be answered by what it did first. */
const requestId = () => randomBytes(16);
/** As many users as a case needs; none of them must exist. */
const others = (count: number) => Array.from({ length: count }, (_, at) => `user${at}`);

/** A group of ann's, or of another user's. */
async function group(target: Target, userIds: readonly string[], token?: string): Promise<Uint8Array> {
  const request = { name: "a group", userIds: [...userIds], requestId: requestId() };
  const { thread } = await target.call(createGroup, request, token);
  if (!thread) throw new Error("a group was made and is not shown");
  return thread.threadId;
}

/** What happens while one user has blocked another, who may write to each other again afterwards. */
async function blocked(
  target: Target,
  { by, userId }: { readonly by: string; readonly userId: string },
  act: () => Promise<Told>,
): Promise<Told> {
  const token = target.tokens[by];
  await target.call(blockUser, { userId, requestId: requestId() }, token);
  try {
    return await act();
  } finally {
    await target.call(unblockUser, { userId, requestId: requestId() }, token);
  }
}

/** The cases of the table "Bad input" in docs/errors.md that are about groups and blocks. */
export const badGroupInput: Readonly<Record<string, (target: Target) => Promise<Told>>> = {
  /** Only the server writes these: a client must not forge who came. */
  "body-member-change": (target) =>
    target.refused({ body: { kind: { case: "memberChange", value: { removed: ["bob"] } } } }),
  /** A zero-width space and a word joiner: a name that shows nothing. */
  "group-name-unseen": (target) =>
    target.told(createGroup, { name: "\u200b \u2060", userIds: ["bob"], requestId: requestId() }),
  "group-name-control": (target) =>
    target.told(createGroup, { name: "two\nlines", userIds: ["bob"], requestId: requestId() }),
  /** A right-to-left override, which would turn what stands behind it; in a rename, since the rule is for both. */
  async "group-name-reversed"(target) {
    const made = { name: "one", userIds: ["bob"], requestId: requestId() };
    const threadId = groupThreadId("ann", made.requestId);
    await target.told(createGroup, made);
    return target.told(renameGroup, { threadId, name: "abc\u202edef", requestId: requestId() });
  },
  "group-name-empty": (target) => target.told(createGroup, { userIds: ["bob"], requestId: requestId() }),
  /** 257 with the maker: one more than a group may begin with. */
  "group-too-many": (target) =>
    target.told(createGroup, { name: "many", userIds: others(256), requestId: requestId() }),
  /** The same request_id for another name: neither a repeat nor a new group. */
  async "group-request-reused"(target) {
    const request = { name: "one", userIds: ["bob"], requestId: requestId() };
    await target.call(createGroup, request);
    return target.told(createGroup, { ...request, name: "another" });
  },
  /** One more than a call takes. */
  "add-too-many": async (target) =>
    target.told(addMembers, {
      threadId: await group(target, []),
      userIds: others(257),
      requestId: requestId(),
    }),
  /** A direct thread has two users, for ever. */
  async "add-to-direct"(target) {
    await target.call(send, goodSend());
    const threadId = directThreadId("ann", "bob");
    return target.told(addMembers, { threadId, userIds: ["eve"], requestId: requestId() });
  },
  /** As if the group were not there: its id must not be a way to learn of it. */
  "add-to-foreign": async (target) =>
    target.told(addMembers, {
      threadId: await group(target, ["eve"], target.tokens.bob),
      userIds: ["ann"],
      requestId: requestId(),
    }),
  async "add-blocked"(target) {
    const threadId = await group(target, []);
    return blocked(target, { by: "bob", userId: "ann" }, () =>
      target.told(addMembers, { threadId, userIds: ["bob"], requestId: requestId() }),
    );
  },
  "remove-by-member": async (target) =>
    target.told(removeMembers, {
      threadId: await group(target, ["ann", "eve"], target.tokens.bob),
      userIds: ["eve"],
      requestId: requestId(),
    }),
  "role-of-stranger": async (target) =>
    target.told(setMemberRole, {
      threadId: await group(target, ["bob"]),
      userId: "eve",
      role: MemberRole.OWNER,
      requestId: requestId(),
    }),
  /** A group without an owner could never be changed again. */
  "role-last-owner": async (target) =>
    target.told(setMemberRole, {
      threadId: await group(target, ["bob"]),
      userId: "ann",
      role: MemberRole.MEMBER,
      requestId: requestId(),
    }),
  async "post-after-leaving"(target) {
    const threadId = await group(target, ["bob"]);
    await target.call(leaveGroup, { threadId, requestId: requestId() });
    return target.told(send, { ...goodSend(), target: { case: "threadId", value: threadId } });
  },
  /** One who never was in it learns nothing, not even that there is history. */
  "history-before-joining": async (target) =>
    target.told(listEntries, { threadId: await group(target, ["eve"], target.tokens.bob) }),
  /** 20 random bytes, which no server has made. */
  "members-page-token": async (target) =>
    target.told(listMembers, { threadId: await group(target, ["bob"]), pageToken: randomBytes(20) }),
  "block-oneself": (target) => target.told(blockUser, { userId: "ann", requestId: requestId() }),
  "send-to-blocker": (target) =>
    blocked(target, { by: "bob", userId: "ann" }, () => target.told(send, goodSend())),
  "send-to-blocked": (target) =>
    blocked(target, { by: "ann", userId: "bob" }, () => target.refused(goodSend())),
};
