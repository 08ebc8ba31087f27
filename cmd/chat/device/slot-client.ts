import { grpcTransport } from "../../../client/grpc/transport.ts";
import { type Client, connect } from "../../../client/index.ts";
import type { FileStorage } from "../../../client/storage/file-storage.ts";
import type { DeviceSlot } from "./device-slot.ts";
import type { Settings } from "./settings.ts";
import { credentials } from "./sign-in.ts";

/**
 * Makes the client of the slot's device, on what the slot's folder holds. `signal` ends it. The client takes over
 * storage and transport, and closes both, also when this rejects.
 */
export function connectSlot(
  settings: Settings,
  { deviceId }: DeviceSlot,
  storage: FileStorage,
  more: { readonly signal?: AbortSignal } = {},
): Promise<Client> {
  const transport = grpcTransport({ url: settings.grpcUrl });
  const { userId } = settings;
  return connect({ userId, deviceId, transport, credentials: credentials(settings), storage, ...more });
}
