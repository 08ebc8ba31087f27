import {
  LinkAcceptedSchema,
  LinkDoneSchema,
  LinkFlushReceiptsSchema,
  LinkMembershipQuerySchema,
  LinkMembershipSchema,
  LinkReceiptSchema,
  LinkSendSchema,
  LinkTypingSchema,
  MessageLinkMethod,
} from "../gen/heddle/message/v1/message_internal_service_pb.js";

/** What a link to the message service carries. */
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
} as const;
