import {
  changeText,
  type Entry,
  ErrorReason,
  type HeddleError,
  isAbsence,
  type Lost,
  lostBefore,
  type OutboxItem,
  type SendState,
} from "../../../client/index.ts";
import type { Line } from "../model.ts";
import { shownText } from "./shown-text.ts";

/** A void only fills the place of a send that will never come: there is nothing to show. */
export function isShown(entry: Entry): boolean {
  return entry.body.kind !== "void";
}

/** What is missing between an entry and the one `before` it. */
export function gapBefore(
  entry: Entry,
  before: Entry | undefined,
  userId: string,
  lost: readonly Lost[],
): string | undefined {
  if (lostBefore(lost, entry)) return "A part of this chat is lost on the server";
  if (before && isAbsence(before, entry, userId)) return "You were not a member here";
  return undefined;
}

/** A line for an entry of the log. `nameOf`: what people call a user. `gap`: what is missing before it. */
export function entryLine(
  entry: Entry,
  userId: string,
  state: SendState | undefined,
  nameOf?: (userId: string) => string,
  gap?: string,
): Line {
  const isOwn = entry.sender === userId;
  const change = changeText(entry, userId, nameOf);
  const text = change ?? (entry.body.kind === "text" ? entry.body.text : undefined);
  return {
    key: entry.clientId,
    seq: entry.seq,
    sender: entry.sender,
    isOwn,
    text: text === undefined ? undefined : shownText(text),
    isChange: change !== undefined,
    gap,
    createdAtMs: entry.createdAtMs,
    tick: isOwn && change === undefined ? (state ?? "sent") : undefined,
    failure: undefined,
  };
}

/** A line for what is on its way. */
export function itemLine(item: OutboxItem, userId: string): Line {
  return {
    key: item.clientId,
    seq: item.seq,
    sender: userId,
    isOwn: true,
    text: shownText(item.text),
    isChange: false,
    createdAtMs: item.createdAtMs ?? item.composedAtMs,
    tick: item.state,
    failure: item.state === "failed" ? failureText(item.error) : undefined,
  };
}

/**
 * Why a message was not sent, in words for a person, without the full stop. What a person can do about it stands beside
 * it as buttons.
 */
export function failureText(error: HeddleError | undefined): string {
  switch (error?.reason) {
    case ErrorReason.SELF_THREAD:
      return "You cannot write to yourself";
    case ErrorReason.THREAD_NOT_FOUND:
      return "You are not in this chat any more";
    case ErrorReason.BLOCKED:
      return error.metadata.by === "self" ? "You have blocked them" : "They take no messages from you";
    case ErrorReason.LOG_DAMAGED:
      return "It may have been sent: a part of this chat is lost on the server";
    case ErrorReason.INVALID_FIELD:
      return "The server does not take this message";
    case ErrorReason.OVERLOADED:
    case ErrorReason.STORE_UNAVAILABLE:
      return "The server could not take it";
    default:
      return "Not sent";
  }
}
