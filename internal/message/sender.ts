import type { Clock } from "../base/clock.ts";
import { Code, HeddleError, invalidField, selfThread, storeUnavailable } from "../base/heddle-error.ts";
import type { History } from "../base/history.ts";
import type { Accepted, Send, Settle } from "../base/send.ts";
import { directThreadId } from "../base/thread-id.ts";
import { encodeBody } from "./cells/entry-cell.ts";
import { sendTag, tagKey } from "./cells/send-tag.ts";
import type { Hiding } from "./hiding.ts";
import type { Appender } from "./log/appender.ts";
import type { PendingSend } from "./log/pending-sends.ts";
import { otherLogEpoch } from "./log/refusals.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";
import type { Committed } from "./log/verdict.ts";
import type { Views } from "./log/views.ts";
import { OpenSends } from "./open-sends.ts";
import type { Receipts } from "./receipts/receipts.ts";

/** What carries a send from here on. */
export interface Committer {
  readonly logs: ThreadLogs;
  readonly appender: Appender;
  readonly receipts: Pick<Receipts, "ownMessage">;
  readonly hiding: Hiding;
  readonly views: Views;
}

/** Takes sends in: finds the thread, judges who may send, queues, and says what became of it. */
export class Sender {
  readonly #committer: Committer;
  readonly #open: OpenSends;

  readonly #history: History;

  /** `expiresMs` is how long a send may take, in ms. */
  constructor(committer: Committer, clock: Clock, expiresMs: number, history: History) {
    this.#committer = committer;
    this.#history = history;
    this.#open = new OpenSends(clock, expiresMs);
  }

  /** Settles exactly once, after `expiresMs` at the latest. Never throws. */
  send(send: Send, told: Settle): void {
    const problem = check(send);
    if (problem) {
      told(certain(send, problem));
      return;
    }
    // Its base_seq means something in the history that it was composed in, and nowhere else. Never `committed=never`:
    // that other history may have it.
    const { logEpoch } = this.#history;
    if (send.logEpoch !== 0 && logEpoch !== 0 && send.logEpoch !== logEpoch) {
      told(otherLogEpoch(logEpoch));
      return;
    }
    const { settle, expiresAtMs } = this.#open.takeSend(send, told);
    const { logs } = this.#committer;
    const threadId = send.threadId ?? directThreadId(send.userId, send.toUserId);
    const cached = logs.known(threadId, send.userId);
    if (cached) {
      this.#append(cached, send, expiresAtMs, settle);
      return;
    }
    const opening = send.threadId
      ? logs.open(threadId, send.userId)
      : logs.openDirect(send.userId, send.toUserId);
    opening.then(
      (log) => this.#append(log, send, expiresAtMs, settle),
      (error) =>
        settle(certain(send, error instanceof HeddleError ? error : storeUnavailable("thread", error))),
    );
  }

  /** Resolves when no try of the send is open here. */
  settled(userId: string, clientId: Uint8Array): Promise<void> {
    return this.#open.settled(userId, clientId);
  }

  #append(log: ThreadLog, send: Send, expiresAtMs: number, settle: Settle): void {
    const tag = sendTag(send.userId, send.clientId);
    const pending: PendingSend = {
      kind: "message",
      userId: send.userId,
      clientId: send.clientId,
      tag,
      tagKey: tagKey(tag),
      baseSeq: send.baseSeq,
      searchedSeq: send.baseSeq,
      attempt: send.attempt,
      body: encodeBody(send.body),
      originSession: send.originSession,
      expiresAtMs,
      tried: false,
      settle: (verdict) => {
        if (verdict instanceof HeddleError) settle(verdict);
        else this.#accept(log, send, verdict, settle);
      },
    };
    this.#committer.appender.append(log, pending);
  }

  #accept(log: ThreadLog, send: Send, committed: Committed, settle: Settle): void {
    const { hiding, receipts, views } = this.#committer;
    const { membership } = log;
    const at = membership.participants[0] === send.userId ? 1 : 0;
    const recipient = membership.participants[at];
    const isOnline = committed.online[at];
    const answer = (recipientOffline: boolean | undefined) =>
      settle(accepted(send, committed, recipientOffline));
    if (recipient === undefined || isOnline === undefined) answer(undefined);
    else
      hiding.checkHidden(membership, recipient, (isHidden) => {
        const view = isHidden ? undefined : views.known(log);
        if (isHidden) answer(undefined);
        else if (view) answer(view.blockedBy.length > 0 ? undefined : !isOnline);
        else void views.isBlocked(log).then((isBlocked) => answer(isBlocked ? undefined : !isOnline));
      });
    // In the order of commits, whenever the answers are known: a gap would be counted from the log.
    receipts.ownMessage(log, send, committed);
  }
}

function accepted(send: Send, committed: Committed, recipientOffline: boolean | undefined): Accepted {
  const { threadId, seq, createdAtMs, duplicate } = committed;
  return { threadId, clientId: send.clientId, seq, createdAtMs, duplicate, recipientOffline };
}

/** What the schema cannot say. */
function check(send: Send): HeddleError | undefined {
  if (send.toUserId === send.userId) return selfThread();
  const isText = send.body instanceof Uint8Array || send.body.kind.case === "text";
  return isText ? undefined : invalidField("body", "only a text may be sent");
}

/** An error from before anything was tried: with a first attempt, nothing can be in the log. */
function certain(send: Send, error: HeddleError): HeddleError {
  return send.attempt === 1 && error.code !== Code.UNAVAILABLE ? error.withCommittedNever() : error;
}
