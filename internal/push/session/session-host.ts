import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { CallGate } from "../call-gate.ts";
import type { Messages, Threads } from "../ports.ts";

/** Whose session it is, from the ticket. */
export interface Identity {
  readonly userId: string;
  readonly deviceId: string;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** session_id in hex, as publications name it. */
  readonly key: string;
  /** When the user token behind the ticket ends, in Unix milliseconds. */
  readonly userTokenExpiresAtMs: number;
}

/** The push server, as a session of type S needs it. */
export interface SessionHost<S> {
  readonly clock: Clock;
  readonly messages: Messages;
  readonly threads: Threads;
  /** What `opened` tells of the data. */
  readonly history: History;
  readonly gate: CallGate;
  /** Calls `flush` once, in the next tick. */
  flushSoon(session: S): void;
  /** The session has said `opened`: publications for its user are to reach it. True if they surely do already. */
  opened(session: S): boolean;
  /** The session is over, however it ended. Called once. */
  ended(session: S): void;
  /** Replaces the set of users that the session, which is open, watches. */
  watch(session: S, userIds: readonly string[]): void;
  /** Events have left for a client, in one write. */
  wrote(events: number): void;
}
