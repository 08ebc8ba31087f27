import { Code, ErrorReason, HeddleError } from "../../../client/index.ts";

/** Carries out one change at a time, and says what is wrong if it fails. Resolves to whether it was done. */
export type Change = (work: () => Promise<unknown>) => Promise<boolean>;

/** There was no answer. UNKNOWN is what a browser's failed fetch is told as. */
const AWAY: ReadonlySet<Code> = new Set([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.UNKNOWN]);

/** Why a group, a block or a device is not as one wanted it, in a sentence for a person. */
export function changeProblem(error: unknown): string {
  if (!(error instanceof HeddleError)) return "This did not work.";
  // The server names the user where a call has several.
  const { user = "They", limit = "" } = error.metadata;
  switch (error.reason) {
    case ErrorReason.OWNER_REQUIRED:
      return "Only an owner of the group may do that.";
    case ErrorReason.LAST_OWNER:
      return "A group needs an owner. Make somebody else one first.";
    case ErrorReason.MEMBER_NOT_FOUND:
      return `${user} is not in the group any more.`;
    case ErrorReason.GROUP_FULL:
      return `A group has room for ${limit} people.`;
    case ErrorReason.TOO_MANY_LARGE_GROUPS:
      return `${user} is in as many large groups as one can be.`;
    case ErrorReason.TOO_MANY_SPANS:
      return `${user} has been in this group as often as one can be.`;
    case ErrorReason.BLOCKED:
      return error.metadata.by === "self" ? `You have blocked ${user}.` : `${user} cannot be added by you.`;
    case ErrorReason.THREAD_NOT_FOUND:
      return "You are not in this group any more.";
    case ErrorReason.DEVICE_NOT_FOUND:
      return "That device is not signed in any more.";
    case ErrorReason.INVALID_FIELD:
      return "The server does not take this.";
  }
  // The call is repeated under one request_id for 30 s before this is said.
  return AWAY.has(error.code)
    ? "The server did not answer. It may have been done all the same; you can try again."
    : "The server could not do it.";
}
