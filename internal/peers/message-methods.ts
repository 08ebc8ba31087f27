import {
  LinkAcceptedSchema,
  LinkChangedSchema,
  LinkChangeSchema,
  LinkDoneSchema,
  LinkFlushReceiptsSchema,
  LinkHeadsQuerySchema,
  LinkHeadsSchema,
  LinkLogSchema,
  LinkMembershipQuerySchema,
  LinkMembershipSchema,
  LinkReceiptSchema,
  LinkSendSchema,
  LinkTimesQuerySchema,
  LinkTimesSchema,
  LinkTypingSchema,
  LinkUnreadQuerySchema,
  LinkUnreadsSchema,
  LinkWritersSchema,
  MessageLinkMethod,
} from "../gen/heddle/message/v1/message_internal_service_pb.js";

/**
 * What a link to the message service carries: up to `membership` for push servers, from `heads` on for thread servers.
 * All are answered. Numbers are of the contract between builds: one is never used again for something else.
 */
export const MESSAGE = {
  send: { number: MessageLinkMethod.SEND, input: LinkSendSchema, output: LinkAcceptedSchema },
  raiseReceipt: {
    number: MessageLinkMethod.RAISE_RECEIPT,
    input: LinkReceiptSchema,
    output: LinkDoneSchema,
  },
  flushReceipts: {
    number: MessageLinkMethod.FLUSH_RECEIPTS,
    input: LinkFlushReceiptsSchema,
    output: LinkDoneSchema,
  },
  typing: { number: MessageLinkMethod.TYPING, input: LinkTypingSchema, output: LinkDoneSchema },
  membership: {
    number: MessageLinkMethod.MEMBERSHIP,
    input: LinkMembershipQuerySchema,
    output: LinkMembershipSchema,
  },
  heads: { number: MessageLinkMethod.HEADS, input: LinkHeadsQuerySchema, output: LinkHeadsSchema },
  unread: { number: MessageLinkMethod.UNREAD, input: LinkUnreadQuerySchema, output: LinkUnreadsSchema },
  entryTimes: {
    number: MessageLinkMethod.ENTRY_TIMES,
    input: LinkTimesQuerySchema,
    output: LinkTimesSchema,
  },
  change: { number: MessageLinkMethod.CHANGE, input: LinkChangeSchema, output: LinkChangedSchema },
  raiseEpoch: { number: MessageLinkMethod.RAISE_EPOCH, input: LinkLogSchema, output: LinkDoneSchema },
  writers: { number: MessageLinkMethod.WRITERS, input: LinkLogSchema, output: LinkWritersSchema },
} as const;
