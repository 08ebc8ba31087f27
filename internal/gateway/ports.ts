import type { TicketGrant } from "../rpc/tickets.ts";

/** The thread service, as the gateway needs it. */
export interface Devices {
  /** Notes that a device opens a session. "revoked" if it was signed out, "full" if the user has too many others. */
  openDevice(userId: string, deviceId: string): Promise<"open" | "revoked" | "full">;
  /** Those not revoked. */
  listDevices(userId: string): Promise<readonly { readonly deviceId: string }[]>;
}

/** The registry, as the gateway needs it. */
export interface PushServers {
  /** Those registered now. */
  pushServers(): readonly {
    readonly name: string;
    readonly grpcUrl: string;
    readonly webUrl: string;
    readonly load: number;
    readonly capacity: number;
  }[];
}

/** What signs tickets. */
export interface Tickets {
  sign(grant: TicketGrant): Promise<{ readonly ticket: string; readonly expiresAtMs: number }>;
}
