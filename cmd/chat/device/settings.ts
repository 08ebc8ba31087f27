import { homedir } from "node:os";
import { join } from "node:path";
import { ChatError, EXIT } from "../exit-code.ts";
import { userNamed } from "../text/user-name.ts";
import { folderNameOf, oldFolderNameOf } from "./state-folder.ts";

/** Options as the command line gives them, unread: text where a value was given, undefined where not. */
export interface Options {
  readonly json?: boolean;
  readonly grpc?: string;
  readonly web?: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly wait?: string;
  readonly color?: boolean;
}

/** What options and environment say of a run; options win. */
export interface Settings {
  readonly userId: string;
  readonly json: boolean;
  /** Where the gRPC listener is. */
  readonly grpcUrl: string;
  /** Where tokens come from in the development profile. */
  readonly webUrl: string;
  /** A file with a user token, instead of the development profile. */
  readonly tokenFile: string | undefined;
  /** Where device, outbox and recent history of this user at this server are kept. */
  readonly stateFolder: string;
  /** Where an earlier version kept it; undefined where it could not have. */
  readonly oldStateFolder: string | undefined;
  /** How long commands that end wait for the server, in milliseconds. */
  readonly waitMs: number;
}

/** `user`: as it was typed. Options over environment over defaults. Throws ChatError for what makes no sense. */
export function readSettings(user: string, options: Options, env: NodeJS.ProcessEnv): Settings {
  const userId = userNamed(user);
  const seconds = Number(options.wait ?? 10);
  // Written so that NaN is refused too.
  if (!(seconds >= 0 && seconds <= 3_600)) throw new ChatError(EXIT.wrongUse, "--wait takes 0–3600 seconds");
  // An empty variable counts as none, as the XDG rule has it.
  const states = join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "heddle");
  const oldName = options.state === undefined ? oldFolderNameOf(userId) : undefined;
  const grpcUrl = url("--grpc", options.grpc ?? env.HEDDLE_GRPC_URL ?? "http://127.0.0.1:8440");
  return {
    userId,
    json: options.json ?? false,
    grpcUrl,
    webUrl: url("--web", options.web ?? env.HEDDLE_WEB_URL ?? "http://127.0.0.1:8480"),
    tokenFile: options.tokenFile,
    stateFolder: options.state ?? join(states, folderNameOf(userId, grpcUrl)),
    oldStateFolder: oldName === undefined ? undefined : join(states, oldName),
    waitMs: seconds * 1_000,
  };
}

/** An origin, without path: the library adds its own. Throws ChatError. */
function url(option: string, text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new ChatError(EXIT.wrongUse, `${option} takes a URL such as http://127.0.0.1:8440, not ${text}`);
  }
  return parsed.origin;
}
