import type { Streams } from "../gateway/ports.ts";
import { type LinkHandler, serves } from "../rpc/links/link-server.ts";
import { PUSH } from "./push-methods.ts";

/**
 * Serves a push server to gateways. It answers from memory, of its own streams alone: the gateway asks all and puts
 * together.
 */
export function pushHandlers(streams: Streams): LinkHandler[] {
  return [
    serves(PUSH.devicesOf, async ({ userId }) => ({ deviceIds: [...(await streams.devicesOf(userId))] })),
  ];
}
