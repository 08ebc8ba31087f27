import { Visibility as WireVisibility } from "../../internal/gen/heddle/presence/v1/presence_pb.js";
import {
  PresenceService,
  type SetVisibilityRequest,
} from "../../internal/gen/heddle/presence/v1/presence_service_pb.js";
import type { Visibility } from "../model/model.ts";
import type { Calls } from "../stream/calls.ts";

/** As Client.visibility. */
export async function getVisibility(calls: Calls, signal?: AbortSignal): Promise<Visibility> {
  const { visibility } = await calls.call(PresenceService.method.getVisibility, {}, signal);
  return toVisibility(visibility);
}

/** As Client.setVisibility. */
export async function setVisibility(
  calls: Calls,
  visibility: Visibility,
  requestId: SetVisibilityRequest["requestId"],
  signal?: AbortSignal,
): Promise<Visibility> {
  const wire = visibility === "nobody" ? WireVisibility.NOBODY : WireVisibility.SHARED;
  const request = { visibility: wire, requestId };
  return toVisibility((await calls.call(PresenceService.method.setVisibility, request, signal)).visibility);
}

/** Whatever is not NOBODY is shared: that is the default. */
function toVisibility(visibility: WireVisibility): Visibility {
  return visibility === WireVisibility.NOBODY ? "nobody" : "shared";
}
