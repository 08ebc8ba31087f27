import type { ClientEvent, Entry, Lost, Member, OutboxItem, Thread } from "../../../client/index.ts";

/** One line of --json output. Types are the event names of docs/design.md, section 4. */
export type JsonLine = { readonly type: string } & Readonly<Record<string, unknown>>;

/** An entry. `kind` is there for what is not a text, whose text is empty. */
export function entryJson(entry: Entry): JsonLine {
  const { threadId, seq, sender, clientId, createdAtMs, body } = entry;
  return {
    type: "entry",
    thread: threadId,
    seq,
    from: sender,
    text: body.kind === "text" ? body.text : "",
    client_id: clientId,
    created_at_ms: createdAtMs,
    ...(body.kind !== "text" && { kind: body.kind }),
    ...changeJson(body),
  };
}

/** Entries that the server has lost, in the place of them. */
export function lostJson(threadId: string, [fromSeq, toSeq]: Lost): JsonLine {
  return { type: "damaged", thread: threadId, seq: fromSeq, up_to: toSeq };
}

/** What a member or setting entry says more. */
function changeJson(body: Entry["body"]): Readonly<Record<string, unknown>> {
  if (body.kind === "setting_change") return { name: body.name };
  if (body.kind !== "member_change") return {};
  const members = (list: readonly Member[]) => list.map(({ userId, role }) => ({ user: userId, role }));
  return {
    added: members(body.added),
    removed: body.removed,
    changed: members(body.changed),
    ...(body.name !== undefined && { name: body.name }),
    member_count: body.memberCount,
  };
}

/** A thread row: `peer` of a direct thread, the rest of what people see of a group. */
export function threadJson(thread: Thread): JsonLine {
  const { threadId, peer, head, unread, readSeq, isMuted, isBlocked, isDamaged, kind } = thread;
  const group = {
    kind,
    name: thread.name,
    member_count: thread.memberCount,
    role: thread.role,
    has_left: thread.hasLeft,
  };
  return {
    ...{ type: "thread_changed", thread: threadId, peer, head_seq: head.seq, unread, read_seq: readSeq },
    is_muted: isMuted,
    ...(isBlocked && { is_blocked: true }),
    ...(isDamaged && { is_damaged: true }),
    ...(kind === "group" && group),
  };
}

/** A send whose outcome has become known: `accepted` or `refused`; undefined for one that is under way. */
export function outcomeJson(item: OutboxItem): JsonLine | undefined {
  const about = { client_id: item.clientId, thread: item.threadId };
  if (item.state === "failed") {
    const { error } = item;
    return { type: "refused", ...about, reason: error?.reasonName, message: error?.message };
  }
  if (item.state !== "sent") return undefined;
  const { seq, createdAtMs, recipientOffline } = item;
  const offline = recipientOffline === undefined ? {} : { recipient_offline: recipientOffline };
  return { type: "accepted", ...about, seq, created_at_ms: createdAtMs, ...offline };
}

/** An event as a line; undefined for what has no line. */
export function eventJson(event: ClientEvent): JsonLine | undefined {
  switch (event.type) {
    case "entry":
      return entryJson(event.entry);
    case "outbox":
      return outcomeJson(event.item);
    case "receipt": {
      const { threadId, userId, deliveredSeq, readSeq } = event.receipt;
      return {
        type: "receipt",
        thread: threadId,
        user: userId,
        delivered_seq: deliveredSeq,
        read_seq: readSeq,
      };
    }
    case "thread_changed":
      return threadJson(event.thread);
    case "presence": {
      const { userId, presence } = event;
      const seen = presence?.lastSeenAtMs === undefined ? {} : { last_seen_at_ms: presence.lastSeenAtMs };
      // `unknown` is a word of its own: one who may not be seen is not offline.
      return { type: "presence", user: userId, status: presence?.status ?? "unknown", ...seen };
    }
    case "profile": {
      const { userId, displayName, pictureUrl } = event.profile;
      return {
        type: "profile",
        user: userId,
        display_name: displayName ?? "",
        picture_url: pictureUrl ?? "",
      };
    }
    case "typing": {
      const { threadId, userId, isTyping } = event;
      return { type: "typing", thread: threadId, user: userId, is_typing: isTyping };
    }
    case "behind":
      return { type: "behind", thread: event.threadId, up_to: event.upTo };
    case "state": {
      const { phase, reason } = event.state;
      return { type: "state", state: phase, ...(reason && { reason: reason.kind }) };
    }
    case "dropped":
      return { type: "dropped", thread: event.threadId };
    case "put_back":
      return { type: "put_back", message: event.text };
    case "trouble":
      return { type: "trouble", message: event.error.message };
    default:
      return { type: event.type };
  }
}

const THREAD_ID = /^[0-9a-f]{32}$/i;

/** A place in a log. Checked here, for the client takes what is no place as nothing to do, and says nothing. */
function isSeq(given: unknown): given is number {
  return Number.isSafeInteger(given) && Number(given) >= 0;
}

/** What a line of --json input asks for. */
export type Request =
  | {
      readonly kind: "send";
      readonly target: { readonly to: string } | { readonly threadId: string };
      readonly text: string;
    }
  | {
      readonly kind: "read";
      readonly target: { readonly to: string } | { readonly threadId: string };
      readonly seq: number;
    }
  | {
      readonly kind: "typing";
      readonly target: { readonly to: string } | { readonly threadId: string };
    }
  | { readonly kind: "watch"; readonly userIds: readonly string[] };

/**
 * Reads `{"to":"bob","text":"hi"}`, `{"thread":"<hex>","text":"hi"}`; with `"read_seq":3` for the text, what has been
 * read, and with `"typing":true`, that one writes; or `{"watch":["bob"]}`, whose presence is of interest. Throws SyntaxError that says what a line may be.
 */
export function parseRequest(line: string): Request {
  const given = JSON.parse(line) as Record<string, unknown> | null;
  const { to, thread, text, read_seq: seq, typing, watch } = given ?? {};
  if (Array.isArray(watch) && watch.every((user) => typeof user === "string"))
    return { kind: "watch", userIds: watch };
  const target =
    typeof to === "string"
      ? { to }
      : typeof thread === "string" && THREAD_ID.test(thread)
        ? { threadId: thread.toLowerCase() }
        : undefined;
  // In this order: a line with both a text and a position sends, and marks nothing.
  if (target && typeof text === "string") return { kind: "send", target, text };
  if (target && isSeq(seq)) return { kind: "read", target, seq };
  if (target && typing === true) return { kind: "typing", target };
  throw new SyntaxError(
    'a line is {"to":"bob","text":"hi"}, or "thread" with 32 hex digits for "to", or "read_seq" with a whole number from 0 or "typing":true for "text"; or {"watch":["bob"]}',
  );
}
