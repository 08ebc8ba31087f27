import { z } from "zod";
import type { SettingValues } from "../../base/env.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { DEV_TOKEN_TTL_S } from "../../gateway/door-dev-tokens.ts";
import type { SightRule } from "../../presence/sight.ts";
import { STREAMS_PER_USER } from "../../push/limits.ts";
import type { ProfileRules } from "../../thread/profile-calls.ts";
import { databaseUrl } from "./database-url.ts";
import { addresses, claim, listIn, oneOf, setting, url, whole } from "./kinds.ts";

/**
 * The settings by what they are about. A program has the groups of what it does: the same setting means the same wherever
 * it is read.
 */

/** Of the profile. */
export const PROFILE_SETTINGS = {
  HEDDLE_PROFILE: setting(
    z
      .enum(["development", "production"], { error: "write development or production" })
      .default("development"),
    "development signs anyone in by name and serves this machine only; production needs HEDDLE_AUTH_*",
  ),
};

/** Of a Postgres. */
export const DATABASE_SETTINGS = {
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
};

/** Of who signs user tokens. */
export const AUTH_SETTINGS = {
  HEDDLE_AUTH_ISSUER: setting(z.string().optional(), "production: claim iss of user tokens"),
  HEDDLE_AUTH_AUDIENCE: setting(
    z
      .string()
      .default("heddle")
      .refine((text) => audiencesIn(text) !== undefined, "name at least one"),
    "claim aud of user tokens; several are separated by commas, and a token names one of them",
  ),
  HEDDLE_AUTH_JWKS_URL: setting(url, "production: where the keys that sign user tokens are published"),
  HEDDLE_AUTH_USER_CLAIM: setting(
    claim("sub"),
    "production: the claim that is the user_id, 1–255 visible ASCII characters",
  ),
  HEDDLE_AUTH_NAME_CLAIM: setting(
    claim("name"),
    "the claim of user tokens that says what people call the user",
  ),
  HEDDLE_AUTH_PICTURE_CLAIM: setting(claim("picture"), "the claim that has the URL of the user's picture"),
  HEDDLE_AUTH_CLOCK_TOLERANCE_S: setting(
    whole(10, 0, 300),
    "production: how far the clock that user tokens are signed by may be from ours, in seconds; for exp, nbf and iat",
  ),
};

/** Who may see whose presence (docs/design.md, section 8). */
const SIGHT_RULES = ["written", "shared-thread"] as const satisfies readonly SightRule[];

/** Of who sees presence. */
export const SIGHT_SETTINGS = {
  HEDDLE_SIGHT_RULE: setting(
    oneOf(SIGHT_RULES).optional(),
    "who sees one's presence: written (those that one has written to; by default in production) or " +
      "shared-thread (all who share a thread with one; by default in development)",
  ),
};

/** A host of pictures, or all below one. In lower case, as URLs have it. */
const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/** Of whose pictures are shown. */
export const PICTURE_SETTINGS = {
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
};

/** Of names and pictures. Words and not yes or no: more ways may come. */
export const SET_PROFILE_SETTINGS = {
  HEDDLE_SET_PROFILE: setting(
    oneOf(["refused", "allowed"]).optional(),
    "whether users may set name and picture themselves: refused (by default in production) or allowed (in development)",
  ),
};

/** Of what clients are told to dial. */
export const CLIENT_URL_SETTINGS = {
  HEDDLE_GRPC_URL: setting(url, "what clients are told to dial for gRPC; by default the address above"),
  HEDDLE_WEB_URL: setting(url, "what browsers are told to call; by default the address above"),
};

/** Of client streams. */
export const STREAM_SETTINGS = {
  HEDDLE_PUSH_CAPACITY: setting(whole(10_000, 1, 1_000_000), "client streams to hold at a time"),
  HEDDLE_STREAMS_PER_USER: setting(
    whole(STREAMS_PER_USER, 1, 1_000_000),
    "client streams that one user may hold at a time, those that have not opened among them",
  ),
};

/** Of sessions that are opened. */
export const OPEN_SETTINGS = {
  HEDDLE_OPENS_PER_ADDRESS: setting(
    whole(1_000, 0, 1_000_000),
    "sessions that one source address may open a minute; 0 for any number; this machine is never limited, IPv6 by /64",
  ),
};

/** Of what stands in front of the listeners for clients. */
export const PROXY_SETTINGS = {
  HEDDLE_PROXIES: setting(
    addresses,
    "addresses of the proxies, separated by commas, whose x-forwarded-for says where a call comes from",
  ),
};

/** Of how a program runs. */
export const RUN_SETTINGS = {
  HEDDLE_DRAIN_MS: setting(whole(3_000, 0, 600_000), "how long a stop waits for clients to move, in ms"),
  HEDDLE_LOG_LEVEL: setting(
    oneOf(LOG_LEVELS).optional(),
    "JSON lines on stderr; by default warn on a terminal in development, else info",
  ),
};

/** Of the tokens that the development profile signs. */
export const DEV_TOKEN_SETTINGS = {
  HEDDLE_DEV_TOKEN_TTL_S: setting(
    whole(DEV_TOKEN_TTL_S, 1, 30 * 24 * 3600),
    "development: how long tokens of /dev/tokens and `heddle token` are good, in seconds",
  ),
};

/** Variables of the project's other programs, which may stand in the same environment. */
export const OTHERS = [
  "HEDDLE_CACHE_DIR",
  "HEDDLE_CI_",
  "HEDDLE_TEST_",
  "HEDDLE_CHAT_",
  "HEDDLE_BENCH_",
  "HEDDLE_MESH_",
];

/** At least one: without any, every token would do. */
type Audiences = readonly [string, ...string[]];

/** How user tokens are checked. */
export interface AuthConfig {
  /** Undefined where this program signs user tokens itself: the development profile. */
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
}

export function authOf(values: SettingValues<typeof AUTH_SETTINGS>): AuthConfig {
  const issuer = values.HEDDLE_AUTH_ISSUER;
  const jwksUrl = values.HEDDLE_AUTH_JWKS_URL;
  return {
    provider: issuer && jwksUrl ? { issuer, jwksUrl: new URL(jwksUrl) } : undefined,
    audiences: audiencesIn(values.HEDDLE_AUTH_AUDIENCE) ?? ["heddle"],
    userClaim: values.HEDDLE_AUTH_USER_CLAIM,
    nameClaim: values.HEDDLE_AUTH_NAME_CLAIM,
    pictureClaim: values.HEDDLE_AUTH_PICTURE_CLAIM,
    toleranceS: values.HEDDLE_AUTH_CLOCK_TOLERANCE_S,
  };
}

/** Undefined if there are none. */
function audiencesIn(text: string): Audiences | undefined {
  const [first, ...others] = listIn(text);
  return first === undefined ? undefined : [first, ...others];
}

type Profile = SettingValues<typeof PROFILE_SETTINGS>;

export function sightRuleOf(values: Profile & SettingValues<typeof SIGHT_SETTINGS>): SightRule {
  return values.HEDDLE_SIGHT_RULE ?? (values.HEDDLE_PROFILE === "development" ? "shared-thread" : "written");
}

type ProfileSettings = typeof PICTURE_SETTINGS & typeof SET_PROFILE_SETTINGS;

export function profileRulesOf(values: Profile & SettingValues<ProfileSettings>): ProfileRules {
  const otherwise = values.HEDDLE_PROFILE === "development" ? "allowed" : "refused";
  return {
    canBeSet: (values.HEDDLE_SET_PROFILE ?? otherwise) === "allowed",
    pictureHosts: listIn(values.HEDDLE_PICTURE_HOSTS),
  };
}

/** `isTerminal`: a person sees the log. A newcomer there reads the lines of the start, and no log. */
export function logLevelOf(
  values: Profile & SettingValues<typeof RUN_SETTINGS>,
  isTerminal: boolean,
): LogLevel {
  const isQuiet = values.HEDDLE_PROFILE === "development" && isTerminal;
  return values.HEDDLE_LOG_LEVEL ?? (isQuiet ? "warn" : "info");
}
