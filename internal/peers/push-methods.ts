import {
  LinkStreamDevicesSchema,
  LinkStreamsOfSchema,
  PushLinkMethod,
} from "../gen/heddle/push/v1/push_internal_service_pb.js";

/** What a link to a push server is asked for. A read: it may be repeated. */
export const PUSH = {
  devicesOf: {
    number: PushLinkMethod.DEVICES_OF,
    input: LinkStreamsOfSchema,
    output: LinkStreamDevicesSchema,
  },
} as const;
