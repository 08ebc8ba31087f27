/** Between the contract's messages and the values an application sees. bigint occurs only here. */

import { create } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import { fromHex, hex } from "../../internal/base/ids.ts";
import type { ErrorInfo } from "../../internal/gen/google/rpc/error_details_pb.js";
import {
  type Body,
  MemberRole,
  type Entry as WireEntry,
  type Head as WireHead,
  type Member as WireMember,
  type Receipt as WireReceipt,
} from "../../internal/gen/heddle/message/v1/entry_pb.js";
import {
  type SendRequest,
  SendRequestSchema,
} from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { Refused } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Thread as WireThread } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import type { Entry, EntryBody, Head, Member, Receipt, Role, Span } from "../model/model.ts";

export const ERROR_DOMAIN = "heddle";

export function toEntry(entry: WireEntry): Entry {
  return {
    threadId: hex(entry.threadId),
    seq: Number(entry.seq),
    sender: entry.sender,
    clientId: hex(entry.clientId),
    baseSeq: Number(entry.baseSeq),
    ordinal: Number(entry.ordinal),
    createdAtMs: Number(entry.createdAtMs),
    body: toBody(entry.body),
  };
}

function toBody(body: Body | undefined): EntryBody {
  switch (body?.kind.case) {
    case "text":
      return { kind: "text", text: body.kind.value.text };
    case "void":
      return { kind: "void" };
    case "memberChange": {
      const { added, removed, changed, name, memberCount, isLarge } = body.kind.value;
      return {
        kind: "member_change",
        added: added.map(toMember),
        removed,
        changed: changed.map(toMember),
        name: name === "" ? undefined : name,
        memberCount,
        isLarge,
      };
    }
    case "settingChange":
      return { kind: "setting_change", name: body.kind.value.name };
    default:
      return { kind: "other" };
  }
}

export function toMember({ userId, role }: WireMember): Member {
  return { userId, role: toRole(role) ?? "member" };
}

/** Spans of membership as the server tells them. */
export function toSpans(spans: WireThread["spans"]): readonly Span[] {
  return spans.map(({ firstSeq, lastSeq }) => ({
    firstSeq: Number(firstSeq),
    ...(lastSeq > 0n && { lastSeq: Number(lastSeq) }),
  }));
}

/** Undefined for what has none: another kind of thread, or one that the user has left. */
export function toRole(role: MemberRole): Role | undefined {
  if (role === MemberRole.UNSPECIFIED) return undefined;
  return role === MemberRole.OWNER ? "owner" : "member";
}

export function fromRole(role: Role): MemberRole {
  return role === "owner" ? MemberRole.OWNER : MemberRole.MEMBER;
}

export function toHead(head: WireHead | undefined): Head {
  return { seq: Number(head?.seq ?? 0n), ordinal: Number(head?.ordinal ?? 0n) };
}

export function toReceipt(receipt: WireReceipt): Receipt {
  return {
    threadId: hex(receipt.threadId),
    userId: receipt.userId,
    deliveredSeq: Number(receipt.deliveredSeq),
    readSeq: Number(receipt.readSeq),
  };
}

/** What a send says on the wire: all but `attempt` is its identity. */
export interface SendIdentity {
  readonly clientId: string;
  readonly target: { readonly to: string } | { readonly threadId: string };
  readonly baseSeq: number;
  /** The log epoch that base_seq is of; 0 if the client knew of none. */
  readonly logEpoch: number;
  readonly text: string;
}

export function toSendRequest(send: SendIdentity, attempt: number): SendRequest {
  return create(SendRequestSchema, {
    target: toTarget(send.target),
    clientId: fromHex(send.clientId),
    baseSeq: BigInt(send.baseSeq),
    logEpoch: BigInt(send.logEpoch),
    attempt,
    body: { kind: { case: "text", value: { text: send.text } } },
  });
}

export function toTarget(target: SendIdentity["target"]) {
  return "to" in target
    ? ({ case: "toUserId", value: target.to } as const)
    : ({ case: "threadId", value: fromHex(target.threadId) } as const);
}

/** The error a `refused` speaks of. */
export function fromRefused(refused: Refused): HeddleError {
  return toError(refused.code, refused.message, refused.errorInfo, refused.retryAfterMs);
}

/** An error from a code and, if it is ours, its ErrorInfo. Without it nothing is certain about a send. */
export function toError(
  code: number,
  message: string,
  info: Pick<ErrorInfo, "domain" | "reason" | "metadata"> | undefined,
  retryAfterMs: number,
  cause?: unknown,
): HeddleError {
  const ours = info?.domain === ERROR_DOMAIN ? info : undefined;
  // The generated enum has its values' names without the prefix, and numbers as names of names.
  const reason: unknown = ErrorReason[ours?.reason as keyof typeof ErrorReason];
  return new HeddleError(
    code in Code ? (code as Code) : Code.UNKNOWN,
    typeof reason === "number" ? reason : ErrorReason.UNSPECIFIED,
    message,
    { metadata: ours?.metadata ?? {}, retryAfterMs, cause },
  );
}

/** An error this side makes when the server cannot be reached or does not answer. */
export function unreachable(message: string, cause?: unknown): HeddleError {
  return new HeddleError(Code.UNAVAILABLE, ErrorReason.UNSPECIFIED, message, { cause });
}

/** Whatever was thrown, as an error of ours: what is not one yet leaves everything open. */
export function asError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new HeddleError(Code.UNKNOWN, ErrorReason.UNSPECIFIED, message, { cause: thrown });
}
