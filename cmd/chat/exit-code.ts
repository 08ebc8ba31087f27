import { Code, type ConnectionState, ErrorReason, type HeddleError } from "../../client/index.ts";

/** Exit codes (docs/design.md, section 12). `away` also says that something is kept and not sent yet: run it again. */
export const EXIT = { well: 0, failed: 1, wrongUse: 2, away: 3 } as const;

/** Ends the program with one line on stderr, which says what to do next. Not for faults of the program. */
export class ChatError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * The one line that says why there is no connection, and what to do. The exit code is 1 where another try would end the
 * same way, and 3 where it may not.
 */
export function connectionProblem(
  { phase, reason }: ConnectionState,
  { grpcUrl, userId }: { readonly grpcUrl: string; readonly userId: string },
): ChatError {
  const detail = reason?.error?.message ?? "";
  switch (reason?.kind) {
    case "device-revoked":
      return new ChatError(
        EXIT.failed,
        `this device was signed out; sign in anew with: chat as ${userId} sign-in`,
      );
    case "not-signed-in":
      return new ChatError(EXIT.failed, `not signed in: ${detail}`);
    case "refused":
      return new ChatError(EXIT.failed, `the server refuses: ${detail}`);
    default:
      // Only what answers can say either: to start another would be wrong advice.
      if (isStoreAway(reason))
        return new ChatError(
          EXIT.away,
          `Heddle answers at ${grpcUrl}, but does not serve: ${detail}; it serves again by itself, try later`,
        );
      if (phase === "backfilling")
        return new ChatError(EXIT.away, `Heddle answers at ${grpcUrl}, but not in time; try again`);
      return new ChatError(EXIT.away, `no Heddle answers at ${grpcUrl}; start one with: make run`);
  }
}

/** Whether the server is there, and its store is what is away. */
export function isStoreAway(reason: ConnectionState["reason"]): boolean {
  return reason?.error?.reason === ErrorReason.STORE_UNAVAILABLE;
}

/** What becomes of what waits in the outbox when the program ends: a device that was signed out sends nothing any more. */
export function fateOfKept({ reason }: ConnectionState, userId: string): string {
  if (reason?.kind !== "device-revoked") return `goes out when chat runs again as ${userId}`;
  return `goes out only after you sign in anew: chat as ${userId} sign-in`;
}

/** The one line for a call that failed, in the server's words. No answer is 3, a refusal 1. */
export function callProblem(error: HeddleError): ChatError {
  const isAway = error.code === Code.UNAVAILABLE || error.code === Code.DEADLINE_EXCEEDED;
  return new ChatError(isAway ? EXIT.away : EXIT.failed, error.message);
}
