import { resolve } from "node:path";
import { z } from "zod";
import { readSettings, type Setting, SettingsError, type SettingValues } from "../../base/env.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { DEV_TOKEN_TTL_S } from "../../gateway/door-dev-tokens.ts";
import type { SightRule } from "../../presence/sight.ts";
import { STREAMS_PER_USER } from "../../push/limits.ts";
import { plainAddress } from "../../rpc/calls/source-address.ts";
import { type ListenAddress, parseListenAddress } from "../../rpc/listen-address.ts";
import type { ProfileRules } from "../../thread/profile-calls.ts";
import { databaseUrl } from "./database-url.ts";
import { profileProblems } from "./profile.ts";

/**
 * A setting: how its text is read, and the sentence that `config print` shows. `about` begins with a small letter and
 * names the profile where it matters.
 */
const setting = <T>(schema: z.ZodType<T>, about: string): Setting<T> => ({ schema, about });

/** An address to listen at, `host:port`. It stays text here, so that `config print` shows what was meant. */
const address = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const parsed = parseListenAddress(text);
      if (parsed) return parsed.text;
      context.addIssue({
        code: "custom",
        message: `${text} is no address: write host:port, as in ${fallback}`,
      });
      return z.NEVER;
    });

/** An address that others dial. Without a slash at the end: paths are added to it. */
const url = z
  .url({ protocol: /^https?$/, error: "write a URL that begins with https:// or http://" })
  .transform((text) => text.replace(/\/+$/, ""))
  .optional();

/** IP addresses, separated by commas, each in the one form in which addresses are compared (no IPv4 within IPv6). */
const addresses = z
  .string()
  .default("")
  .transform((text, context) => {
    const parts = text.split(",").map((part) => part.trim());
    const given = parts.filter((part) => part !== "");
    for (const part of given) {
      if (plainAddress(part) === "")
        context.addIssue({
          code: "custom",
          message: `${part} is no IP address: write 10.0.0.1 or 2001:db8::1`,
        });
    }
    return given.map(plainAddress);
  });

/** A whole number within bounds, both included. The bounds keep a slip of the finger from stopping a service. */
const whole = (fallback: number, min: number, max: number) =>
  z.coerce
    .number({ error: "write a number" })
    .int("write a whole number")
    .min(min, `at least ${min}`)
    .max(max, `at most ${max}`)
    .default(fallback);

/** Who may see whose presence (docs/design.md, section 8). */
const SIGHT_RULES = ["written", "shared-thread"] as const satisfies readonly SightRule[];

/** At least one: without any, every token would do. */
type Audiences = readonly [string, ...string[]];

/** The name of a claim of a token. */
const claim = (fallback: string) =>
  z
    .string()
    .regex(/^[!-~]{1,100}$/, "write the name of a claim")
    .default(fallback);

/** Words and not yes or no: more ways may come. */
const SET_PROFILE = ["refused", "allowed"] as const;

/** A host of pictures, or all below one. In lower case, as URLs have it. */
const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/** What a text names between its commas. */
function listIn(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** Undefined if there are none. */
function audiencesIn(text: string): Audiences | undefined {
  const [first, ...others] = listIn(text);
  return first === undefined ? undefined : [first, ...others];
}

/** Every setting of the program `heddle` (docs/design.md, section 12). */
export const SETTINGS = {
  HEDDLE_PROFILE: setting(
    z
      .enum(["development", "production"], { error: "write development or production" })
      .default("development"),
    "development signs anyone in by name and serves this machine only; production needs HEDDLE_AUTH_*",
  ),
  HEDDLE_GRPC_ADDR: setting(address("127.0.0.1:8440"), "where gRPC listens; port 0 lets the system choose"),
  HEDDLE_WEB_ADDR: setting(address("127.0.0.1:8480"), "where the page, Connect and gRPC-Web listen"),
  HEDDLE_ADMIN_ADDR: setting(address("127.0.0.1:8490"), "where /healthz, /readyz and /metrics listen"),
  HEDDLE_GRPC_URL: setting(url, "what clients are told to dial for gRPC; by default the address above"),
  HEDDLE_WEB_URL: setting(url, "what browsers are told to call; by default the address above"),
  HEDDLE_DATA_DIR: setting(z.string().default("./data"), "the folder that holds everything worth keeping"),
  HEDDLE_DATABASE_URL: {
    ...setting(
      databaseUrl,
      "postgres://user:password@host:5432/database: keep rows and messages there; by default in the data folder",
    ),
    secret: true,
  },
  HEDDLE_DATABASE_WAIT_S: setting(
    whole(60, 0, 3_600),
    "how long a start waits for a database that does not answer, in seconds",
  ),
  HEDDLE_AUTH_ISSUER: setting(z.string().optional(), "production: claim iss of user tokens"),
  HEDDLE_AUTH_AUDIENCE: setting(
    z
      .string()
      .default("heddle")
      .refine((text) => audiencesIn(text) !== undefined, "name at least one"),
    "claim aud of user tokens; several are separated by commas, and a token names one of them",
  ),
  HEDDLE_AUTH_JWKS_URL: setting(url, "production: where the keys that sign user tokens are published"),
  HEDDLE_SIGHT_RULE: setting(
    z.enum(SIGHT_RULES, { error: `write one of ${SIGHT_RULES.join(", ")}` }).optional(),
    "who sees one's presence: written (those that one has written to; by default in production) or " +
      "shared-thread (all who share a thread with one; by default in development)",
  ),
  HEDDLE_AUTH_USER_CLAIM: setting(
    claim("sub"),
    "production: the claim that is the user_id, 1–255 visible ASCII characters",
  ),
  HEDDLE_AUTH_NAME_CLAIM: setting(
    claim("name"),
    "the claim of user tokens that says what people call the user",
  ),
  HEDDLE_AUTH_PICTURE_CLAIM: setting(claim("picture"), "the claim that has the URL of the user's picture"),
  HEDDLE_PICTURE_HOSTS: setting(
    z
      .string()
      .default("")
      .refine(
        (text) => listIn(text).every((host) => HOST.test(host)),
        "write hosts, as in *.example.com,p.example",
      ),
    "hosts whose pictures of users are shown, over https; several are separated by commas, none by default",
  ),
  HEDDLE_SET_PROFILE: setting(
    z.enum(SET_PROFILE, { error: `write one of ${SET_PROFILE.join(", ")}` }).optional(),
    "whether users may set name and picture themselves: refused (by default in production) or allowed (in development)",
  ),
  HEDDLE_AUTH_CLOCK_TOLERANCE_S: setting(
    whole(10, 0, 300),
    "production: how far the clock that user tokens are signed by may be from ours, in seconds; for exp, nbf and iat",
  ),
  HEDDLE_PUSH_CAPACITY: setting(whole(10_000, 1, 1_000_000), "client streams to hold at a time"),
  HEDDLE_STREAMS_PER_USER: setting(
    whole(STREAMS_PER_USER, 1, 1_000_000),
    "client streams that one user may hold at a time, those that have not opened among them",
  ),
  HEDDLE_OPENS_PER_ADDRESS: setting(
    whole(1_000, 0, 1_000_000),
    "sessions that one source address may open a minute; 0 for any number; this machine is never limited, IPv6 by /64",
  ),
  HEDDLE_PROXIES: setting(
    addresses,
    "addresses of the proxies, separated by commas, whose x-forwarded-for says where a call comes from",
  ),
  HEDDLE_DRAIN_MS: setting(whole(3_000, 0, 600_000), "how long a stop waits for clients to move, in ms"),
  HEDDLE_LOG_LEVEL: setting(
    z.enum(LOG_LEVELS, { error: `write one of ${LOG_LEVELS.join(", ")}` }).optional(),
    "JSON lines on stderr; by default warn on a terminal in development, else info",
  ),
  HEDDLE_DEV_TOKEN_TTL_S: setting(
    whole(DEV_TOKEN_TTL_S, 1, 30 * 24 * 3600),
    "development: how long tokens of /dev/tokens and `heddle token` are good, in seconds",
  ),
};

/** Variables of the project's other programs, which may stand in the same environment. */
const OTHERS = ["HEDDLE_CACHE_DIR", "HEDDLE_CI_", "HEDDLE_TEST_", "HEDDLE_CHAT_", "HEDDLE_BENCH_"];

/** What the program runs with. */
export interface HeddleConfig {
  readonly profile: "development" | "production";
  /** Where to listen. In development on this machine only. */
  readonly grpcAddress: ListenAddress;
  readonly webAddress: ListenAddress;
  readonly adminAddress: ListenAddress;
  /** What clients are told; undefined for the local address. */
  readonly grpcUrl: string | undefined;
  /** As grpcUrl, for browsers. */
  readonly webUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** Where rows and messages are; undefined for the data folder. It has a password. */
  readonly databaseUrl: string | undefined;
  /** How long a start waits for that database, in ms. */
  readonly databaseWaitMs: number;
  readonly auth: {
    /** Undefined in the development profile, which signs user tokens itself. */
    readonly provider: { readonly issuer: string; readonly jwksUrl: URL } | undefined;
    /** At least one; development signs for the first. */
    readonly audiences: Audiences;
    /** The claim of user tokens that is the user_id. */
    readonly userClaim: string;
    /** The claims that a profile begins with. */
    readonly nameClaim: string;
    readonly pictureClaim: string;
    /** How far the clock of who signs may be off, in seconds. */
    readonly toleranceS: number;
  };
  /** What names and pictures of users may be. */
  readonly profiles: ProfileRules;
  /** Who sees presence. */
  readonly sightRule: SightRule;
  /** Client streams of the program; beyond, new ones are refused OVERLOADED. */
  readonly pushCapacity: number;
  /** Of those, so many may be one user's. */
  readonly streamsPerUser: number;
  /** Sessions that one source address may open a minute; 0: any number. */
  readonly opensPerAddress: number;
  /** Proxies that are believed about the address in front of them. */
  readonly proxies: ReadonlySet<string>;
  /** How long clients have to move when the program stops, in ms; then their streams are ended. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  /** How long a development token is good, in seconds. */
  readonly devTokenTtlS: number;
}

type Values = SettingValues<typeof SETTINGS>;
type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings. `isTerminal`: a person sees the log. Throws SettingsError with a line per problem, the profile's
 * rules included, and for a variable of ours that is no setting: a slip of the pen would else go unnoticed.
 */
export function readConfig(
  env: Env,
  isTerminal: boolean,
): { readonly config: HeddleConfig; readonly values: Values } {
  const values = readSettings(SETTINGS, env, { prefix: "HEDDLE_", others: OTHERS });
  const problems = profileProblems(values, env);
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  return { config: fromValues(values, isTerminal), values };
}

/** A development profile on free ports of this machine, logging warnings: what tests start. */
export function developmentConfig(dataDir: string, changes: Partial<HeddleConfig> = {}): HeddleConfig {
  const env = {
    HEDDLE_GRPC_ADDR: "127.0.0.1:0",
    HEDDLE_WEB_ADDR: "127.0.0.1:0",
    HEDDLE_ADMIN_ADDR: "127.0.0.1:0",
    HEDDLE_DATA_DIR: dataDir,
    HEDDLE_LOG_LEVEL: "warn",
  };
  return { ...readConfig(env, false).config, ...changes };
}

/** The typed record of what was set. Defaults that depend on another setting are made here, all others in SETTINGS. */
function fromValues(values: Values, isTerminal: boolean): HeddleConfig {
  const profile = values.HEDDLE_PROFILE;
  const issuer = values.HEDDLE_AUTH_ISSUER;
  const jwksUrl = values.HEDDLE_AUTH_JWKS_URL;
  // A newcomer at a terminal reads the three lines of the start, and no log.
  const quiet = profile === "development" && isTerminal;
  return {
    profile,
    grpcAddress: addressOf(values.HEDDLE_GRPC_ADDR),
    webAddress: addressOf(values.HEDDLE_WEB_ADDR),
    adminAddress: addressOf(values.HEDDLE_ADMIN_ADDR),
    grpcUrl: values.HEDDLE_GRPC_URL,
    webUrl: values.HEDDLE_WEB_URL,
    dataDir: resolve(values.HEDDLE_DATA_DIR),
    databaseUrl: values.HEDDLE_DATABASE_URL,
    databaseWaitMs: values.HEDDLE_DATABASE_WAIT_S * 1_000,
    auth: {
      provider: issuer && jwksUrl ? { issuer, jwksUrl: new URL(jwksUrl) } : undefined,
      audiences: audiencesIn(values.HEDDLE_AUTH_AUDIENCE) ?? ["heddle"],
      userClaim: values.HEDDLE_AUTH_USER_CLAIM,
      nameClaim: values.HEDDLE_AUTH_NAME_CLAIM,
      pictureClaim: values.HEDDLE_AUTH_PICTURE_CLAIM,
      toleranceS: values.HEDDLE_AUTH_CLOCK_TOLERANCE_S,
    },
    profiles: {
      canBeSet:
        (values.HEDDLE_SET_PROFILE ?? (profile === "development" ? "allowed" : "refused")) === "allowed",
      pictureHosts: listIn(values.HEDDLE_PICTURE_HOSTS),
    },
    sightRule: values.HEDDLE_SIGHT_RULE ?? (profile === "development" ? "shared-thread" : "written"),
    pushCapacity: values.HEDDLE_PUSH_CAPACITY,
    streamsPerUser: values.HEDDLE_STREAMS_PER_USER,
    opensPerAddress: values.HEDDLE_OPENS_PER_ADDRESS,
    proxies: new Set(values.HEDDLE_PROXIES),
    drainMs: values.HEDDLE_DRAIN_MS,
    logLevel: values.HEDDLE_LOG_LEVEL ?? (quiet ? "warn" : "info"),
    devTokenTtlS: values.HEDDLE_DEV_TOKEN_TTL_S,
  };
}

/** An address that `address` has checked. Throws only if the two disagree, which is a fault. */
function addressOf(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (!parsed) throw new Error(`not an address after all: ${text}`);
  return parsed;
}
