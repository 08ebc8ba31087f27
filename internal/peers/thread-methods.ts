import {
  LinkDeviceSchema,
  LinkDevicesSchema,
  LinkGroupsSchema,
  LinkSyncPageSchema,
  LinkSyncSchema,
  LinkUserSchema,
  ThreadLinkMethod,
} from "../gen/heddle/thread/v1/thread_internal_service_pb.js";

/** What a link to the thread service carries. `device_used` is a notice; the others only read, and may be repeated. */
export const THREAD = {
  sync: { number: ThreadLinkMethod.SYNC, input: LinkSyncSchema, output: LinkSyncPageSchema },
  groups: { number: ThreadLinkMethod.GROUPS, input: LinkUserSchema, output: LinkGroupsSchema },
  deviceUsed: { number: ThreadLinkMethod.DEVICE_USED, input: LinkDeviceSchema },
  revoked: { number: ThreadLinkMethod.REVOKED, input: LinkDevicesSchema, output: LinkDevicesSchema },
} as const;
