/** An entry as a device held it: enough to tell it from any other. */
export interface SeenEntry {
  readonly seq: number;
  readonly from: string;
  readonly clientId: string;
  readonly ordinal: number;
  /**
   * The text of a message, or its beginning with its length and hash. Of anything else its kind, in brackets; of a member
   * change also who came and who went: `[member_change +ann -bob]`.
   */
  readonly said: string;
}

/**
 * A line of a history: what one client saw or did, or what its driver did to it or to the servers. Written as JSON lines
 * (`history-file.ts`), by the simulator or by real clients. `atMs` is one clock's for all devices.
 */
export type Seen = { readonly atMs: number; readonly device: string; readonly user: string } & (
  | { readonly type: "begin" }
  /** The person has written this; it is in the outbox. Texts are never the same twice. */
  | { readonly type: "write"; readonly thread: string; readonly clientId: string; readonly text: string }
  | {
      readonly type: "sent";
      readonly thread: string;
      readonly clientId: string;
      readonly seq: number;
      readonly text: string;
      /** The recipient of a direct thread, and whether it was told to have no session; left out where that is not told. */
      readonly to?: string;
      readonly isOffline?: boolean;
    }
  | { readonly type: "failed"; readonly clientId: string; readonly text: string }
  | { readonly type: "entry"; readonly thread: string; readonly entry: SeenEntry }
  /**
   * The person changes something: `about` a user for block and unblock, the own one for hide and show, "thread user" for
   * add, remove and leave group, a device for sign out. `refused`: or not known.
   */
  | {
      readonly type: "change";
      readonly what: string;
      readonly about: string;
      readonly state: "asked" | "answered" | "refused";
    }
  /** As the client names them; `crashed`: its driver has ended the program without a word. */
  | { readonly type: "phase"; readonly phase: string }
  /**
   * Whether sends can be taken: the stores serve, a channel instance that the registry knows, and a gateway, a push and
   * a message server that have heard of those that they ask. Of the world, by no device.
   */
  | { readonly type: "stores"; readonly serve: boolean }
  /** Something is not as it should be from now on for so long: with the device, or, without one, with the servers. */
  | { readonly type: "trouble"; readonly what: string; readonly forMs: number }
  /** Whose presence the person has on the screen from now on, and nobody else's. */
  | { readonly type: "watch"; readonly of: readonly string[] }
  | { readonly type: "presence"; readonly of: string; readonly status: string }
  | { readonly type: "typing"; readonly thread: string; readonly of: string }
  /** How far another member has got. */
  | {
      readonly type: "receipt";
      readonly thread: string;
      readonly of: string;
      readonly delivered: number;
      readonly read: number;
    }
  /** The person has seen the thread up to there. */
  | { readonly type: "read"; readonly thread: string; readonly seq: number }
  /** A stream has ended: how many events stood on it at most that the client had not acknowledged. */
  | { readonly type: "stream"; readonly unacknowledged: number }
  /** All is calm and this device is connected: what it knows without having asked, of threads that it has not left. */
  | { readonly type: "calm"; readonly heads: Readonly<Record<string, number>> }
  | { readonly type: "watching"; readonly of: string; readonly status: string; readonly isThere: boolean }
  /** At the very end, after a sync: all that the device holds, and what is still in its outbox. */
  | {
      readonly type: "end";
      readonly thread: string;
      readonly isGroup: boolean;
      readonly headSeq: number;
      /** The user is no member any more: the head is the last one it may see. */
      readonly hasLeft: boolean;
      readonly readSeq: number;
      readonly unread: number;
      readonly entries: readonly SeenEntry[];
    }
  | { readonly type: "outbox"; readonly texts: readonly string[] }
);

/** Who came and who went by an entry, in its order: `[member_change +ann -bob]`. */
export function movesOf({ said }: SeenEntry): readonly { readonly user: string; readonly comes: boolean }[] {
  const words = /^\[member_change(.*)\]$/.exec(said)?.[1]?.split(" ") ?? [];
  return words
    .filter((word) => word !== "")
    .map((word) => ({ user: word.slice(1), comes: word.startsWith("+") }));
}
