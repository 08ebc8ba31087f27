import { Code, type ConnectionState, type HeddleError } from "../../client/index.ts";

/** Exit codes (docs/design.md, section 12). */
export const EXIT = { well: 0, failed: 1, wrongUse: 2, away: 3 } as const;

/** Ends the program with one line on stderr. */
export class ChatError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The one line that says why there is no connection, and what to do. */
export function connectionProblem(state: ConnectionState, url: string): ChatError {
  const { reason } = state;
  const detail = reason?.error?.message ?? "";
  switch (reason?.kind) {
    case "device-revoked":
      return new ChatError(EXIT.failed, "this device was signed out by its user");
    case "not-signed-in":
      return new ChatError(EXIT.failed, `not signed in: ${detail}`);
    case "refused":
      return new ChatError(EXIT.failed, `the server refuses: ${detail}`);
    default:
      return new ChatError(EXIT.away, `no Heddle answers at ${url}; start one with: make run`);
  }
}

/** The one line for a call that failed. */
export function callProblem(error: HeddleError): ChatError {
  const isAway = error.code === Code.UNAVAILABLE || error.code === Code.DEADLINE_EXCEEDED;
  return new ChatError(isAway ? EXIT.away : EXIT.failed, error.message);
}
