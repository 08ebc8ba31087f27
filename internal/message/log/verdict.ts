import type { HeddleError } from "../../base/heddle-error.ts";

/** A send, or a void, that is in the log: what is answered is the stored cell, never a retry's bytes. */
export interface Committed {
  readonly threadId: Uint8Array;
  readonly seq: number;
  /** Of the stored cell. */
  readonly createdAtMs: number;
  readonly ordinal: number;
  /** The stored cell. */
  readonly cell: Uint8Array;
  readonly isVoid: boolean;
  /** Whether it was there before this try. */
  readonly duplicate: boolean;
  /** For each topic of the hand-off, in the order of the members, whether somebody subscribes to it. */
  readonly online: readonly boolean[];
}

/** What became of a pending send. An error without `committed=never` leaves it unknown. */
export type Verdict = Committed | HeddleError;
