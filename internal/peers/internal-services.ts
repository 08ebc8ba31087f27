import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { ChannelInternalService } from "../gen/heddle/channel/v1/channel_internal_service_pb.js";
import { MessageInternalService } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { PresenceInternalService } from "../gen/heddle/presence/v1/presence_internal_service_pb.js";
import { PushInternalService } from "../gen/heddle/push/v1/push_internal_service_pb.js";
import { ThreadInternalService } from "../gen/heddle/thread/v1/thread_internal_service_pb.js";

/** Services that other programs open links to, by their word. */
const INTERNAL: Readonly<Record<string, DescService>> = {
  channel: ChannelInternalService,
  message: MessageInternalService,
  presence: PresenceInternalService,
  push: PushInternalService,
  thread: ThreadInternalService,
};

/** The service between programs by its word. Throws where links lead to no such service. */
export function internalService(word: string): DescService {
  const desc = INTERNAL[word];
  if (!desc) throw new RangeError(`no links lead to ${word}`);
  return desc;
}

/** Its method that opens a link. */
export function linkMethod(word: string): DescMethod {
  const [method] = internalService(word).methods;
  if (!method) throw new RangeError(`${word} has no method for links`);
  return method;
}
