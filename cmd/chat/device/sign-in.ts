import { readFile } from "node:fs/promises";
import { Code, type Credentials, ErrorReason, HeddleError } from "../../../client/index.ts";
import type { Settings } from "./settings.ts";

/** How long the server may take to give a token, in ms. After it the client tries again, with growing waits. */
const TOKEN_MS = 5_000;

/**
 * Where user tokens come from: a file, or the development profile, which signs anyone in by name. UNAUTHENTICATED signs
 * the client out for good; anything else that is thrown is tried again.
 */
export function credentials(settings: Settings): Credentials {
  return settings.tokenFile === undefined ? fromServer(settings) : fromFile(settings.tokenFile);
}

function fromServer({ webUrl, userId }: Settings): Credentials {
  return async ({ signal }) => {
    const answer = await fetch(`${webUrl}/dev/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ users: [userId] }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TOKEN_MS)]),
    });
    // It is there but not well: wait for it, do not sign out.
    if (answer.status >= 500) throw new Error(`${webUrl}/dev/tokens: ${answer.status}`);
    const said = answer.ok ? ((await answer.json()) as { tokens?: Record<string, string> }) : {};
    const token = said.tokens?.[userId];
    if (token !== undefined) return token;
    throw notSignedIn(`${webUrl} gives no tokens by name; give one with --token-file`);
  };
}

/**
 * The file is read each time, because something else may keep it fresh. If the token that was refused still stands in
 * it, asking again is of no use.
 */
function fromFile(path: string): Credentials {
  let last: string | undefined;
  return async ({ isStale }) => {
    const text = await readFile(path, "utf8").catch((fault: Error) => {
      throw notSignedIn(`cannot read the token file: ${fault.message}`);
    });
    const token = text.trim();
    if (token === "") throw notSignedIn(`there is no token in ${path}`);
    if (isStale && token === last) throw notSignedIn(`the token in ${path} has expired or is refused`);
    last = token;
    return token;
  };
}

function notSignedIn(message: string): HeddleError {
  return new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_INVALID, message);
}
