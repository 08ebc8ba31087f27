import { create, toBinary } from "@bufbuild/protobuf";
import { threadNotFound } from "../../../base/heddle-error.ts";
import { fromHex, hex } from "../../../base/ids.ts";
import { type GroupMark, groupTopic, inbox, type Publication } from "../../../base/publication.ts";
import { ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { Membership } from "../../../push/ports.ts";
import type { FakeMessages, FakeThreads } from "../../worlds/push/push-world.ts";

/** A group's log and members, as the message and thread services know them behind the ports of a push server. */
export class FakeGroup {
  /** In hex. */
  readonly thread: string;
  /** By user the seq of the entry that made them one. */
  readonly members = new Map<string, number>();
  /** Of the newest entry. */
  seq = 0;
  /** Of the newest member entry. */
  membersSeq = 0;
  readonly #threads: FakeThreads;

  /** Answers for its thread from now on. The first entry adds the members. */
  constructor(
    ports: { readonly messages: FakeMessages; readonly threads: FakeThreads },
    thread: string,
    members: readonly string[],
  ) {
    this.thread = thread;
    this.#threads = ports.threads;
    const others = ports.messages.memberships;
    ports.messages.memberships = (threadId, userIds) =>
      hex(threadId) === thread ? this.membership(userIds) : others(threadId, userIds);
    this.change(members, []);
  }

  /** What the message service says of these users. Throws THREAD_NOT_FOUND before the first entry. */
  membership(userIds: readonly string[]): Membership {
    if (this.seq === 0) throw threadNotFound();
    const joined = new Map<string, number>();
    for (const userId of userIds) {
      const joinedSeq = this.members.get(userId);
      if (joinedSeq !== undefined) joined.set(userId, joinedSeq);
    }
    return { seq: this.seq, ordinal: this.seq, membersSeq: this.membersSeq, isLarge: false, joined };
  }

  /** Appends a message; to be published. */
  post(from: string, originSession = ""): Publication {
    this.seq++;
    return this.#event("entry", from, originSession, { membersSeq: this.membersSeq });
  }

  /** Appends a member entry; to be published. */
  change(added: readonly string[], removed: readonly string[]): Publication {
    this.seq++;
    for (const userId of added) this.members.set(userId, this.seq);
    for (const userId of removed) this.members.delete(userId);
    for (const userId of [...added, ...removed]) this.#list(userId);
    const mark = { membersSeq: this.membersSeq, change: { added, removed } };
    this.membersSeq = this.seq;
    const event = this.#event("entry", "ann", "", mark);
    return { ...event, topics: [...event.topics, ...added.map(inbox)] };
  }

  /** A receipt or `typing` of the user, for all. */
  sign(kind: "receipt" | "typing", from: string): Publication {
    return { ...this.#event(kind, from, "", { membersSeq: this.membersSeq }), seq: 0, ordinal: 0 };
  }

  /** The thread service lists the group to its members alone. */
  #list(userId: string): void {
    const others = (this.#threads.memberOf.get(userId) ?? []).filter((one) => one !== this.thread);
    this.#threads.memberOf.set(userId, this.members.has(userId) ? [...others, this.thread] : others);
  }

  /** As the message service publishes it, in a frame with no more than what push servers look at. */
  #event(kind: Publication["kind"], from: string, originSession: string, group: GroupMark): Publication {
    const { thread, seq } = this;
    const threadId = fromHex(thread);
    const value = { threadId, seq: BigInt(seq), sender: from, ordinal: BigInt(seq) };
    const said =
      kind === "entry"
        ? { case: kind, value }
        : { case: kind as "receipt", value: { threadId, userId: from } };
    const frame = toBinary(
      ServerFrameSchema,
      create(ServerFrameSchema, { events: [{ kind: said }] } as never),
    );
    return {
      kind,
      topics: [groupTopic(thread)],
      frame,
      thread,
      seq,
      ordinal: seq,
      userId: from,
      originSession,
      group,
    };
  }
}
