/** An entry as a device held it: enough to tell it from any other. */
export interface SeenEntry {
  readonly seq: number;
  readonly from: string;
  readonly clientId: string;
  readonly ordinal: number;
  /** The text of a message; of anything else its kind, in brackets. */
  readonly said: string;
}

/** A line of a history: what one client saw or did. Written as JSON lines, by the simulator or by real clients. */
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
  | { readonly type: "phase"; readonly phase: string }
  /** Whether the stores serve, and a channel instance that the registry knows: of the world, by no device. */
  | { readonly type: "stores"; readonly serve: boolean }
  | { readonly type: "presence"; readonly of: string; readonly status: string }
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
