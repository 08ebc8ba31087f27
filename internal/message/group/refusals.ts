import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";

/** Why a change of a group makes no entry (docs/errors.md). */

export function ownerRequired(): HeddleError {
  const text = "only an owner of the group may do that";
  return new HeddleError(Code.PERMISSION_DENIED, ErrorReason.OWNER_REQUIRED, text);
}

export function memberNotFound(user: string): HeddleError {
  const text = "the user is no member of the group";
  return new HeddleError(Code.NOT_FOUND, ErrorReason.MEMBER_NOT_FOUND, text, { metadata: { user } });
}

export function lastOwner(): HeddleError {
  const text = "the group would be without an owner";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.LAST_OWNER, text);
}

export function groupFull(limit: number): HeddleError {
  const text = "the group would have more members than it may";
  const metadata = { limit: String(limit) };
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.GROUP_FULL, text, { metadata });
}

export function tooManyLargeGroups(user: string, limit: number): HeddleError {
  const text = "the user is in as many large groups as one may join";
  const metadata = { user, limit: String(limit) };
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.TOO_MANY_LARGE_GROUPS, text, { metadata });
}

export function tooManySpans(user: string, limit: number): HeddleError {
  const text = "the user has been a member of the group as often as one may";
  const metadata = { user, limit: String(limit) };
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.TOO_MANY_SPANS, text, { metadata });
}
