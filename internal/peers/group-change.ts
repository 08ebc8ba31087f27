import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GroupChange } from "../base/group.ts";
import { MemberRole } from "../gen/heddle/message/v1/entry_pb.js";
import type { LinkChange, LinkChangeSchema } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";

/** The change as generated code has it: one arm for each kind. */
type Said = NonNullable<MessageInitShape<typeof LinkChangeSchema>["change"]>;

/** A change of a group as it crosses. */
export function fromChange(change: GroupChange): Said {
  switch (change.kind) {
    case "create":
      return { case: "create", value: { name: change.name, userIds: [...change.userIds] } };
    case "add":
    case "remove":
      return { case: change.kind, value: { userIds: [...change.userIds] } };
    case "leave":
      return { case: "leave", value: {} };
    case "role": {
      const role = change.role === "owner" ? MemberRole.OWNER : MemberRole.MEMBER;
      return { case: "role", value: { userId: change.userId, role } };
    }
    case "rename":
      return { case: "rename", value: { name: change.name } };
  }
}

/** The change that crossed. Throws PEER_UNAVAILABLE for one that this build does not know: nothing is done. */
export function toChange({ change }: LinkChange): GroupChange {
  switch (change.case) {
    case "create":
      return { kind: "create", name: change.value.name, userIds: change.value.userIds };
    case "add":
    case "remove":
      return { kind: change.case, userIds: change.value.userIds };
    case "leave":
      return { kind: "leave" };
    case "role":
      return { kind: "role", userId: change.value.userId, role: toRole(change.value.role) };
    case "rename":
      return { kind: "rename", name: change.value.name };
    default:
      throw peerUnavailable("message", new RangeError("a change of a group that is not known"));
  }
}

/** Throws PEER_UNAVAILABLE for a role that this build does not know: it must not be taken for a smaller one. */
function toRole(role: MemberRole): "owner" | "member" {
  if (role === MemberRole.OWNER) return "owner";
  if (role === MemberRole.MEMBER) return "member";
  throw peerUnavailable("message", new RangeError(`a role of ${role}`));
}
