import { ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import { CHANNEL, toWord } from "../../../peers/channel-methods.ts";
import { MESSAGE } from "../../../peers/message-methods.ts";
import { PRESENCE } from "../../../peers/presence-methods.ts";
import { PUSH } from "../../../peers/push-methods.ts";
import { THREAD } from "../../../peers/thread-methods.ts";
import { MarkedTopics } from "../../../push/topics/marked-topics.ts";
import type { Subscriber, Subscription, Topics, TopicsInit } from "../../../push/topics/topics.ts";
import type { LinkCaller } from "../../../rpc/links/link-client.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import type { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { Touch } from "../../../store/thread-store.ts";
import { type Bites, bite } from "../network/sim-link.ts";

/** A touch counts for so long, in ms. */
const TOUCH_MS = 45_000;

/** The name of each method of a link: `channel.publish`. */
const NAMES = new Map<object, string>(
  Object.entries({
    channel: CHANNEL,
    message: MESSAGE,
    thread: THREAD,
    presence: PRESENCE,
    push: PUSH,
  }).flatMap(([service, methods]) =>
    Object.entries(methods).map(([name, method]) => [method, `${service}.${name}`] as const),
  ),
);

/** How an error is named: by its reason. */
export function reasonOf(error: unknown): string {
  return error instanceof HeddleError ? (ErrorReason[error.reason] ?? "UNSPECIFIED") : "FAULT";
}

/** Counts what is asked over a link, with what came of it. */
export function countedLink(link: LinkCaller, reached: Bites): LinkCaller {
  return {
    notify: (notice, said) => link.notify(notice, said),
    call: async (method, request, budgetMs) => {
      const name = NAMES.get(method) ?? "another call";
      countRequest(name, request, reached);
      try {
        const answer = await link.call(method, request, budgetMs);
        const word =
          (method.output as object) === CHANNEL.publish.output ? toWord(answer as never)?.kind : undefined;
        bite(reached, `${name} ${word ?? "answered"}`);
        return answer;
      } catch (error) {
        bite(reached, `${name} ${reasonOf(error)}`);
        throw error;
      }
    },
  };
}

function countRequest(name: string, request: object, reached: Bites): void {
  if (name === "message.send" && "attempt" in request && Number(request.attempt) > 1)
    bite(reached, "message.send as a later attempt");
  if (name !== "thread.sync" || !("cursor" in request) || !("pageToken" in request)) return;
  const { cursor, pageToken } = request as { cursor: Uint8Array; pageToken: Uint8Array };
  const how = pageToken.length > 0 ? "the next page" : cursor.length > 0 ? "since a cursor" : "of everything";
  bite(reached, `thread.sync ${how}`);
}

/** Counts what becomes of appends to a remote store: `false` may be the answer to one's own write, after one whose outcome was unclear. */
export function countedLogs(logs: MessageStore, reached: Bites): MessageStore {
  const unclear = new Set<string>();
  return new Proxy(logs, {
    get(target, key) {
      if (key !== "checkAndPut") return Reflect.get(target, key, target);
      return async (...[row, expected, head, entries]: Parameters<MessageStore["checkAndPut"]>) => {
        const name = `${JSON.stringify(row)} ${Buffer.from(expected ?? []).toString("hex")}`;
        try {
          const isPut = await target.checkAndPut(row, expected, head, entries);
          const isOwn = !isPut && unclear.has(name);
          bite(reached, isPut ? "append" : isOwn ? "append: false after an unclear answer" : "append: false");
          return isPut;
        } catch (error) {
          unclear.add(name);
          bite(reached, "append: unclear");
          throw error;
        }
      };
    },
  });
}

/** Counts touches in a remote store that were made anew since the one before had grown old: after TOUCH_MS by `nowMs`. */
export function countedRows<T extends SqliteThreadStore>(rows: T, reached: Bites, nowMs: () => number): T {
  const touchedMs = new Map<string, number>();
  return new Proxy(rows, {
    get(target, key) {
      if (key !== "touch") return Reflect.get(target, key, target);
      return (touches: readonly Touch[]) => {
        for (const { threadId, ownerIds } of touches) {
          for (const owner of ownerIds) {
            const row = `${hex(threadId)} ${owner}`;
            const isOld = (touchedMs.get(row) ?? Number.POSITIVE_INFINITY) <= nowMs() - TOUCH_MS;
            bite(reached, isOld ? "touch of a row whose touch had grown old" : "touch");
            touchedMs.set(row, nowMs());
          }
        }
        return target.touch(touches);
      };
    },
  });
}

/** Topics, with a count of what makes them compare. */
export function countedTopics(Base: typeof Topics, reached: Bites): typeof Topics {
  return class extends Base {
    constructor(init: TopicsInit) {
      const { markedTopics: Marked = MarkedTopics<Subscription> } = init;
      const markedTopics = class extends Marked {
        override add(topic: Subscription): void {
          bite(reached, "topic marked");
          super.add(topic);
        }

        protected override late(): void {
          bite(reached, "marked topics compared before all have acknowledged");
          super.late();
        }
      };
      super({ ...init, markedTopics });
    }

    override subscribe(subscriber: Subscriber): void {
      super.subscribe({
        topic: subscriber.topic,
        subscribed: () => subscriber.subscribed(),
        lost: () => {
          bite(reached, "topic lost");
          subscriber.lost();
        },
        compareTopic: () => {
          bite(reached, "topic compared");
          subscriber.compareTopic();
        },
        hinted: (hint) => {
          bite(reached, "topic hinted");
          subscriber.hinted(hint);
        },
        deliver: (publication) => subscriber.deliver(publication),
      });
    }
  };
}
