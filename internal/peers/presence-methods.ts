import type { PresenceStatus } from "../base/presence.ts";
import {
  LinkPresenceAttachSchema,
  LinkPresenceDoneSchema,
  LinkPresencesSchema,
  LinkReportSchema,
  LinkShownStatus,
  LinkToldSchema,
  LinkUsersSchema,
  LinkVisibilityChangedSchema,
  LinkWatchSchema,
  PresenceLinkMethod,
} from "../gen/heddle/presence/v1/presence_internal_service_pb.js";

const output = LinkPresenceDoneSchema;

/**
 * What a link to a presence instance carries. `told` comes from it and `unwatch` goes to it as notices; all else goes
 * to it and is answered.
 */
export const PRESENCE = {
  attach: { number: PresenceLinkMethod.ATTACH, input: LinkPresenceAttachSchema, output },
  report: { number: PresenceLinkMethod.REPORT, input: LinkReportSchema, output },
  watch: { number: PresenceLinkMethod.WATCH, input: LinkWatchSchema, output },
  unwatch: { number: PresenceLinkMethod.UNWATCH, input: LinkWatchSchema },
  told: { number: PresenceLinkMethod.TOLD, input: LinkToldSchema },
  blockChanged: { number: PresenceLinkMethod.BLOCK_CHANGED, input: LinkUsersSchema, output },
  membersChanged: { number: PresenceLinkMethod.MEMBERS_CHANGED, input: LinkUsersSchema, output },
  visibilityChanged: {
    number: PresenceLinkMethod.VISIBILITY_CHANGED,
    input: LinkVisibilityChangedSchema,
    output,
  },
  presencesOf: {
    number: PresenceLinkMethod.PRESENCES_OF,
    input: LinkUsersSchema,
    output: LinkPresencesSchema,
  },
} as const;

/** The words of this build beside the numbers of the contract. */
const STATUSES: readonly (readonly [PresenceStatus, LinkShownStatus])[] = [
  ["unknown", LinkShownStatus.UNKNOWN],
  ["online", LinkShownStatus.ONLINE],
  ["offline", LinkShownStatus.OFFLINE],
  ["hidden", LinkShownStatus.HIDDEN],
];
const NUMBER_OF = new Map(STATUSES);
const STATUS_OF = new Map(STATUSES.map(([status, number]) => [number, status]));

/** A status as it crosses. */
export function fromStatus(status: PresenceStatus): LinkShownStatus {
  return NUMBER_OF.get(status) ?? LinkShownStatus.UNSPECIFIED;
}

/** Throws RangeError for a status that this build does not know: nothing is concluded from it. */
export function toStatus(said: LinkShownStatus): PresenceStatus {
  const status = STATUS_OF.get(said);
  if (!status) throw new RangeError(`a status of ${said}`);
  return status;
}
