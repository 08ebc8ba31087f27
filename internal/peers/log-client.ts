import { hex } from "../base/ids.ts";
import type { LinkWriter } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { CALL_MS, SEND_MS } from "../rpc/links/budget.ts";
import type { LinkCaller } from "../rpc/links/link-client.ts";
import type { EntryTimes, FoundWriters, GroupLog, Heads, Unread, Writers } from "../thread/ports.ts";
import { fromChange } from "./group-change.ts";
import { MESSAGE } from "./message-methods.ts";

type Unreads = NonNullable<Heads["unread"]>;

/**
 * The message service of another program, as thread servers need it, and those who hold a Directory. Repeats nothing:
 * clients repeat what they ask of the thread service, with the same request_id.
 */
export class LogClient implements Heads, EntryTimes, GroupLog, Writers {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  async heads(threads: Parameters<Heads["heads"]>[0]): ReturnType<Heads["heads"]> {
    const said = await this.#link.call(MESSAGE.heads, { threads: [...threads] }, CALL_MS);
    return new Map(
      said.heads.map(({ threadId, seq, ordinal }) => [
        hex(threadId),
        { seq: Number(seq), ordinal: Number(ordinal) },
      ]),
    );
  }

  /** The row's position goes along: the log answers with the higher of both. */
  async unread(...[ownerId, threads]: Parameters<Unreads>): Promise<ReadonlyMap<string, Unread>> {
    const asked = threads.map(({ threadId, head, row }) => ({
      head: { threadId, seq: BigInt(head.seq), ordinal: BigInt(head.ordinal) },
      readSeq: BigInt(row.readSeq),
      readOrdinal: BigInt(row.readOrdinal),
    }));
    const said = await this.#link.call(MESSAGE.unread, { ownerId, threads: asked }, CALL_MS);
    return new Map(
      said.threads.map(({ threadId, readSeq, readOrdinal, unread }) => [
        hex(threadId),
        { readSeq: Number(readSeq), readOrdinal: Number(readOrdinal), unread },
      ]),
    );
  }

  /** When the entries were made. What the log no longer has is left out. */
  async entryTimes(entries: Parameters<EntryTimes["entryTimes"]>[0]): ReturnType<EntryTimes["entryTimes"]> {
    const asked = entries.map(({ threadId, seq }) => ({ threadId, seq: BigInt(seq) }));
    const said = await this.#link.call(MESSAGE.entryTimes, { entries: asked }, CALL_MS);
    return new Map(said.times.map(({ threadId, createdAtMs }) => [hex(threadId), Number(createdAtMs)]));
  }

  /** Within a send's budget: a change is an append. No answer leaves it open; with the same request_id it is found. */
  async change({ change, ...same }: Parameters<GroupLog["change"]>[0]): ReturnType<GroupLog["change"]> {
    const request = { ...same, change: fromChange(change) };
    const { seq, removed } = await this.#link.call(MESSAGE.change, request, SEND_MS);
    return { seq: Number(seq), removed };
  }

  /** Twice raised is raised: it may be repeated. */
  async raiseEpoch(threadId: Uint8Array): Promise<void> {
    await this.#link.call(MESSAGE.raiseEpoch, { threadId }, SEND_MS);
  }

  /** Who has written, and who changed members: asked for rows of a Heddle that did not note it. */
  async writers(threadId: Uint8Array): Promise<FoundWriters> {
    const { writers, changes } = await this.#link.call(MESSAGE.writers, { threadId }, CALL_MS);
    const seqOf = ({ seq }: LinkWriter) => Number(seq);
    return {
      writers: new Map(writers.map((writer) => [writer.userId, seqOf(writer)])),
      changes: new Map(changes.map((writer) => [seqOf(writer), writer.userId])),
    };
  }
}
