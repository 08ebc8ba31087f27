import { readFile } from "node:fs/promises";
import { Code, type Credentials, ErrorReason, HeddleError } from "../../../client/index.ts";
import type { Settings } from "./settings.ts";

const TOKEN_MS = 5_000;

/** Where user tokens come from: a file, or the development profile, which signs anyone in by name. */
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
    if (answer.status >= 500) throw new Error(`${webUrl}/dev/tokens: ${answer.status}`);
    const said = answer.ok ? ((await answer.json()) as { tokens?: Record<string, string> }) : {};
    const token = said.tokens?.[userId];
    if (token !== undefined) return token;
    throw notSignedIn(`${webUrl} gives no tokens by name; give one with --token-file`);
  };
}

/** The file is read each time: something else may keep it fresh. */
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
