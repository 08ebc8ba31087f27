import type { Body } from "../gen/heddle/message/v1/entry_pb.js";
import type { HeddleError } from "./heddle-error.ts";

/** One send as push servers hand it to the message service, from a stream or a unary call. */
export interface Send {
  /** The sender, from the credentials. */
  readonly userId: string;
  /** 16 bytes, or undefined for the first message of a direct thread with `toUserId`. */
  readonly threadId: Uint8Array | undefined;
  /** The other user, or "" where threadId is given. */
  readonly toUserId: string;
  /** 16 bytes. */
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  /** The log epoch that it was composed under; 0 if its client knows of none. */
  readonly logEpoch: number;
  /** 1 for the first try; 0 for unknown. Refusals say `committed=never` only for 1 (docs/design.md, section 4). */
  readonly attempt: number;
  /** Checked against the schema; never a void. Bytes are a Body with a text as this server would encode it. */
  readonly body: Body | Uint8Array;
  /** The session it came on, in hex, or "" for a unary call: it alone gets no `entry`. */
  readonly originSession: string;
}

/** The send is in the log, durably, and the gate was passed. */
export interface Accepted {
  readonly threadId: Uint8Array;
  readonly clientId: Uint8Array;
  readonly seq: number;
  readonly createdAtMs: number;
  readonly duplicate: boolean;
  /** Direct threads only, and only where the sender may know. */
  readonly recipientOffline: boolean | undefined;
}

/** Called once per send, with what is to be said to the client. Must not throw. */
export type Settle = (outcome: Accepted | HeddleError) => void;
