import type { Streams } from "../gateway/ports.ts";
import { type LinkHandler, serves } from "../rpc/links/link-server.ts";
import { PUSH } from "./push-methods.ts";

/** Serves a push server to gateways. */
export function pushHandlers(streams: Streams): LinkHandler[] {
  return [
    serves(PUSH.devicesOf, async ({ userId }) => ({ deviceIds: [...(await streams.devicesOf(userId))] })),
  ];
}
