import type { TicketGrant } from "../rpc/credentials/tickets.ts";

/** The thread service, as the gateway needs it. */
export interface Devices {
  /**
   * Notes that a device opens a session. "revoked" if it was signed out, "full" if the user has too many others; with
   * `live`, the devices that have a stream, only if all of them have one: else the longest unused makes room.
   */
  openDevice(
    userId: string,
    deviceId: string,
    live?: readonly string[],
  ): Promise<"open" | "revoked" | "full">;
  /** Those not revoked. */
  listDevices(userId: string): Promise<readonly { readonly deviceId: string }[]>;
}

/** The push servers' streams, as the gateway needs them. */
export interface Streams {
  /** The devices of the user that have a stream now. */
  devicesOf(userId: string): readonly string[] | Promise<readonly string[]>;
}

/** The thread service's profiles, as the gateway needs them. */
export interface Profiles {
  /** Keeps what a user's token says of name and picture, where that is a change. */
  note(userId: string, said: { readonly name?: string; readonly picture?: string }): Promise<void>;
}

/** The registry, as the gateway needs it. */
export interface PushServers {
  /** Those registered now; undefined while nothing is known of them. */
  pushServers():
    | undefined
    | readonly {
        readonly name: string;
        readonly grpcUrl: string;
        readonly webUrl: string;
        readonly load: number;
        /** When the load was told, in ms of any clock; left out where it is that of now. */
        readonly loadAtMs?: number;
        readonly capacity: number;
        /** It gets no new sessions; those that it has go on, and may renew their tickets. */
        readonly isLeaving?: boolean;
      }[];
}

/** What signs tickets. */
export interface Tickets {
  sign(grant: TicketGrant): Promise<{ readonly ticket: string; readonly expiresAtMs: number }>;
}
