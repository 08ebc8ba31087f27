import { resolve } from "node:path";
import { z } from "zod";
import { readSettings, SettingsError, type SettingValues } from "../../base/env.ts";
import type { LogLevel } from "../../base/log.ts";
import type { SightRule } from "../../presence/sight.ts";
import type { ListenAddress } from "../../rpc/listen-address.ts";
import type { ProfileRules } from "../../thread/profile-calls.ts";
import {
  AUTH_SETTINGS,
  type AuthConfig,
  authOf,
  CLIENT_URL_SETTINGS,
  DATABASE_SETTINGS,
  DEV_TOKEN_SETTINGS,
  logLevelOf,
  OPEN_SETTINGS,
  OTHERS,
  PICTURE_SETTINGS,
  PROFILE_SETTINGS,
  PROXY_SETTINGS,
  profileRulesOf,
  RUN_SETTINGS,
  SET_PROFILE_SETTINGS,
  SIGHT_SETTINGS,
  STREAM_SETTINGS,
  sightRuleOf,
} from "./groups.ts";
import { address, addressOf, setting } from "./kinds.ts";
import { profileProblems } from "./profile.ts";

/** Every setting of the program `heddle` (docs/design.md, section 12). */
export const SETTINGS = {
  ...PROFILE_SETTINGS,
  HEDDLE_GRPC_ADDR: setting(address("127.0.0.1:8440"), "where gRPC listens; port 0 lets the system choose"),
  HEDDLE_WEB_ADDR: setting(address("127.0.0.1:8480"), "where the page, Connect and gRPC-Web listen"),
  HEDDLE_ADMIN_ADDR: setting(address("127.0.0.1:8490"), "where /healthz, /readyz and /metrics listen"),
  ...CLIENT_URL_SETTINGS,
  HEDDLE_DATA_DIR: setting(z.string().default("./data"), "the folder that holds everything worth keeping"),
  ...DATABASE_SETTINGS,
  ...AUTH_SETTINGS,
  ...SIGHT_SETTINGS,
  ...PICTURE_SETTINGS,
  ...SET_PROFILE_SETTINGS,
  ...STREAM_SETTINGS,
  ...OPEN_SETTINGS,
  ...PROXY_SETTINGS,
  ...RUN_SETTINGS,
  ...DEV_TOKEN_SETTINGS,
};

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
  readonly auth: AuthConfig;
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
    auth: authOf(values),
    profiles: profileRulesOf(values),
    sightRule: sightRuleOf(values),
    pushCapacity: values.HEDDLE_PUSH_CAPACITY,
    streamsPerUser: values.HEDDLE_STREAMS_PER_USER,
    opensPerAddress: values.HEDDLE_OPENS_PER_ADDRESS,
    proxies: new Set(values.HEDDLE_PROXIES),
    drainMs: values.HEDDLE_DRAIN_MS,
    logLevel: logLevelOf(values, isTerminal),
    devTokenTtlS: values.HEDDLE_DEV_TOKEN_TTL_S,
  };
}
