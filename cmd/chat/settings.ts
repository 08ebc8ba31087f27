import { homedir } from "node:os";
import { join } from "node:path";
import { ChatError, EXIT } from "./exit-code.ts";

/** Options as the command line gives them. */
export interface Options {
  readonly json?: boolean;
  readonly grpc?: string;
  readonly web?: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly wait?: string;
  readonly color?: boolean;
}

export interface Settings {
  readonly userId: string;
  readonly json: boolean;
  /** Where the gRPC listener is. */
  readonly grpcUrl: string;
  /** Where tokens come from in the development profile. */
  readonly webUrl: string;
  /** A file with a user token, instead of the development profile. */
  readonly tokenFile: string | undefined;
  /** Where device, outbox and recent history of this user are kept. */
  readonly stateFolder: string;
  /** How long commands that end wait for the server, in milliseconds. */
  readonly waitMs: number;
}

/** Options over environment over defaults. Throws ChatError for what makes no sense. */
export function readSettings(userId: string, options: Options, env: NodeJS.ProcessEnv): Settings {
  checkName(userId);
  const seconds = Number(options.wait ?? 10);
  if (!(seconds >= 0 && seconds <= 3_600)) throw new ChatError(EXIT.wrongUse, "--wait takes 0–3600 seconds");
  const stateHome = env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  return {
    userId,
    json: options.json ?? false,
    grpcUrl: url("--grpc", options.grpc ?? env.HEDDLE_GRPC_URL ?? "http://127.0.0.1:8440"),
    webUrl: url("--web", options.web ?? env.HEDDLE_WEB_URL ?? "http://127.0.0.1:8480"),
    tokenFile: options.tokenFile,
    stateFolder: options.state ?? join(stateHome, "heddle", userId),
    waitMs: seconds * 1_000,
  };
}

/** Throws ChatError unless it is a user's name. */
export function checkName(name: string): void {
  if (/^[a-z0-9._-]{1,64}$/.test(name)) return;
  throw new ChatError(EXIT.wrongUse, `a name is 1–64 of a–z, 0–9, '.', '_' and '-', not "${name}"`);
}

function url(option: string, text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new ChatError(EXIT.wrongUse, `${option} takes a URL such as http://127.0.0.1:8440, not ${text}`);
  }
  return parsed.origin;
}
