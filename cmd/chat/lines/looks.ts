import {
  type ConnectionState,
  changeText,
  type Entry,
  type Lost,
  type OutboxItem,
  type Presence,
  presenceText,
  type SendState,
  type Thread,
} from "../../../client/index.ts";
import { isStoreAway } from "../exit-code.ts";
import { colours as pc } from "../text/colours.ts";
import type { NameOf } from "../text/display-name.ts";
import { oneLine, safeText } from "../text/safe-text.ts";
import { textWidth, wrap } from "../text/text-width.ts";
import { titleOf } from "./target.ts";

/**
 * The mark behind an own message. All take the same room, so that one replaces another in its place. Without colours
 * `read` is told from `delivered` by a word.
 */
export function tick(state: SendState): string {
  switch (state) {
    case "queued":
    case "sending":
      return pc.dim("◌ ");
    case "checking":
      return pc.yellow("? ");
    case "sent":
      return pc.dim("✓ ");
    case "delivered":
      return pc.dim("✓✓");
    case "read":
      return pc.isColorSupported ? pc.cyan("✓✓") : "✓✓ read";
    case "failed":
      return pc.red("✗ ");
  }
}

/** `14:02`, in this machine's zone. */
export function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** `── Monday, 23 November ──`. */
export function dayLine(atMs: number): string {
  const day = new Date(atMs).toLocaleDateString(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
  });
  return pc.dim(`── ${day} ──`);
}

/** The most that stands of a name before what its user wrote. */
const SENDER_CHARACTERS = 20;

/** How a conversation is laid out. */
export interface Layout {
  /** Room for names. */
  readonly nameWidth: number;
  /** Columns of the terminal; Infinity where there is none. */
  readonly columns: number;
  readonly nameOf?: NameOf;
}

/**
 * Room for the names of those who wrote, 3 to 20 columns. Of a page, not of all that is held: it would jump with each
 * stranger.
 */
export function layoutOf(
  userId: string,
  entries: readonly Entry[],
  nameOf?: NameOf,
): { readonly nameWidth: number } {
  const senders = entries.filter(({ sender, body }) => sender !== userId && body.kind === "text");
  return {
    nameWidth: Math.max(
      3,
      ...senders.map(({ sender }) => Math.min(SENDER_CHARACTERS, senderOf(sender, nameOf).length)),
    ),
  };
}

function senderOf(userId: string, nameOf: NameOf | undefined): string {
  return oneLine(nameOf?.(userId) ?? userId, SENDER_CHARACTERS);
}

/** One entry as it stands in a conversation; undefined for what is nothing to a person. */
export function entryLine(
  entry: Entry,
  own: SendState | undefined,
  layout: Layout,
  userId: string,
): string | undefined {
  if (entry.body.kind === "void") return undefined;
  const change = changeText(entry, userId, (id) => layout.nameOf?.(id) ?? id);
  if (change !== undefined) return changeLine(entry.createdAtMs, change, layout);
  const text = entry.body.kind === "text" ? entry.body.text : "(something this chat cannot show yet)";
  return messageLine(
    entry.createdAtMs,
    own ? undefined : senderOf(entry.sender, layout.nameOf),
    text,
    own,
    layout,
  );
}

/** What became of a group, across both columns. */
function changeLine(atMs: number, text: string, { columns }: Layout): string {
  const head = `${timeOf(atMs)}  · `;
  const lines = wrap(safeText(text), Math.max(20, columns - head.length));
  return pc.dim(`${head}${lines.join(`\n${" ".repeat(head.length)}`)}`);
}

/** One own message that is not in the log yet. */
export function pendingLine(item: OutboxItem, layout: Layout): string {
  const line = messageLine(item.composedAtMs, undefined, item.text, item.state, layout);
  if (item.state !== "failed") return line;
  return `${line} ${pc.red(`${item.error?.message ?? "failed"} (/retry or /discard)`)}`;
}

function messageLine(
  atMs: number,
  sender: string | undefined,
  text: string,
  own: SendState | undefined,
  { nameWidth, columns }: Layout,
): string {
  const name = (sender ?? "you").padStart(nameWidth);
  const head = `${pc.dim(timeOf(atMs))}  ${sender === undefined ? pc.dim(name) : pc.bold(name)}  `;
  const indent = " ".repeat(textWidth(head));
  // Room for a tick behind the last line.
  const width = Math.max(20, columns - indent.length - 5);
  const lines = wrap(safeText(text), width).join(`\n${indent}`);
  return own ? `${head}${lines}  ${tick(own)}` : `${head}${lines}`;
}

/**
 * One line of the list of threads. `number`: what a person types to open it. `nameWidth`: room for names, the same for
 * all rows. `there`: also says whether the other user is there, where that is known; false where lines cannot change,
 * for it would soon be wrong.
 */
export function threadLine(
  thread: Thread,
  number: number,
  userId: string,
  nameWidth: number,
  there: { readonly presence: Presence | undefined } | false = false,
  nameOf?: NameOf,
): string {
  const name = titleOf(thread, nameOf).padEnd(nameWidth);
  const unread = thread.unread > 0 ? pc.cyan(` ${thread.unread} new`) : "";
  const body = thread.last?.body;
  const said = body?.kind === "text" ? oneLine(body.text, 48) : "";
  const preview = said
    ? `${sayer(thread, userId, nameOf)}${said}`
    : oneLine(lastChange(thread, userId, nameOf), 60);
  const { isMuted, isBlocked, hasLeft, isDamaged } = thread;
  const marks = [isMuted && "muted", isBlocked && "blocked", hasLeft && "left", isDamaged && "damaged"];
  const muted = marks.some(Boolean) ? pc.dim(` (${marks.filter(Boolean).join(", ")})`) : "";
  const label = thread.unread > 0 ? pc.bold(name) : name;
  const dot = there ? ` ${presenceDot(there.presence)}` : "";
  const seen = (there && presenceText(there.presence, Date.now())) || "";
  const line = `${pc.dim(String(number).padStart(3))}  ${label}${dot}  ${pc.dim(when(thread.updatedAtMs))}  ${preview}`;
  return `${line}${unread}${muted}${seen && pc.dim(` · ${seen}`)}`;
}

/** Who said what a preview shows, where that is not plain. */
function sayer({ last, kind }: Thread, userId: string, nameOf: NameOf | undefined): string {
  if (last?.sender === userId) return "you: ";
  return kind === "group" && last ? `${senderOf(last.sender, nameOf)}: ` : "";
}

function lastChange({ last }: Thread, userId: string, nameOf: NameOf | undefined): string {
  return (last && changeText(last, userId, (id) => nameOf?.(id) ?? id)) ?? "";
}

function when(atMs: number): string {
  const isToday = new Date(atMs).toDateString() === new Date().toDateString();
  if (isToday) return timeOf(atMs).padEnd(6);
  return new Date(atMs).toLocaleDateString(undefined, { day: "numeric", month: "short" }).padEnd(6);
}

/** One column wide, so that one replaces another in its place. */
function presenceDot(presence: Presence | undefined): string {
  return presence?.status === "online" ? pc.green("●") : " ";
}

/** What stands above the input in a conversation; "" where nothing is known. */
export function presenceNotice(name: string, presence: Presence | undefined, isTyping: boolean): string {
  if (isTyping) return `${pc.dim(`· ${name}`)} ${pc.cyan("is typing…")}`;
  const text = presenceText(presence, Date.now());
  const dot = presence?.status === "online" ? `${presenceDot(presence)} ` : "";
  return text && `${pc.dim(`· ${name}`)} ${dot}${pc.dim(text)}`;
}

/** What stands above the input in a group: who is writing. */
export function typingNotice(typists: readonly string[]): string {
  if (typists.length === 0) return "";
  const names = typists.length > 3 ? `${typists.length} people` : typists.join(", ");
  return `${pc.dim(`· ${names}`)} ${pc.cyan(typists.length === 1 ? "is typing…" : "are typing…")}`;
}

/** What the program itself says. */
export function notice(text: string): string {
  return pc.dim(`· ${text}`);
}

/** Stands between two stays in a group. */
export const ABSENCE = notice("you were not a member here");

/** Stands below a conversation that is damaged: what is lost need not be within what is shown. */
export const DAMAGED = notice("the server has lost a part of this conversation; what is left is shown");

/** Stands where the server has lost entries, by their seqs. */
export function lostLine([fromSeq, toSeq]: Lost): string {
  const seqs = fromSeq === toSeq ? fromSeq : `${fromSeq}–${toSeq}`;
  return notice(`the server has lost messages here: ${seqs}`);
}

/**
 * What to say when the connection has changed; undefined for nothing. `wasLive`: whether it was before. Going away is
 * said once, not at each try; what the phases between mean to a program means nothing to a person.
 */
export function connectionNotice(
  state: ConnectionState,
  wasLive: boolean,
  userId: string,
): string | undefined {
  switch (state.phase) {
    case "live":
      return wasLive ? undefined : notice("connected");
    case "offline":
      if (!wasLive && state.reason?.kind !== "server-away") return undefined;
      if (isStoreAway(state.reason))
        return notice("the server does not serve now; what you write is kept and goes out later, by itself");
      return notice("no connection; what you write is kept and goes out later (server down? make run)");
    case "signed-out":
      if (state.reason?.kind === "closed") return undefined;
      if (state.reason?.kind === "device-revoked") {
        return pc.red(`· this device was signed out; sign in anew with: chat as ${userId} sign-in`);
      }
      return pc.red(`· signed out: ${state.reason?.error?.message ?? state.reason?.kind}`);
    default:
      return undefined;
  }
}
