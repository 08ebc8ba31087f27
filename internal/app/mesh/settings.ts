import { hostname } from "node:os";
import { z } from "zod";
import { readSettings, type Settings, SettingsError, type SettingValues } from "../../base/env.ts";
import { isLoopback, type ListenAddress, parseListenAddress } from "../../rpc/listen-address.ts";
import {
  type AUTH_SETTINGS,
  OTHERS,
  PROFILE_SETTINGS,
  PROXY_SETTINGS,
  RUN_SETTINGS,
} from "../settings/groups.ts";
import { address, addressOf, listIn, setting, whole } from "../settings/kinds.ts";
import { developmentSettings, isSafe, providerProblems, reachableProblems } from "../settings/profile.ts";

/** A name that stands in keys of the registry, in tickets and in metrics. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const path = z.string().optional();

/** What every program of the mesh is told. */
export const EVERY_SETTINGS = {
  ...PROFILE_SETTINGS,
  HEDDLE_NAME: setting(
    z
      .string()
      .default(hostname)
      .refine((text) => NAME.test(text), "write 1–100 of A–Z a–z 0–9 . _ -"),
    "the instance's name, its own within the service; by default the host's name",
  ),
  HEDDLE_REGISTRY_URL: setting(
    z
      .string({ error: "name etcd's members, as in http://127.0.0.1:2379" })
      .refine(
        (text) => listIn(text).length > 0 && listIn(text).every(isEndpoint),
        "write URLs, as in http://127.0.0.1:2379",
      ),
    "etcd's members, http or https, separated by commas",
  ),
  HEDDLE_REGISTRY_WAIT_S: setting(
    whole(60, 0, 3_600),
    "how long a start waits for its place in the registry, and for the programs that it needs, in seconds",
  ),
  HEDDLE_ADVERTISE_HOST: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9._:-]+$/, "write a host's name or address")
      .optional(),
    "the host that other programs dial; by default that of the listener",
  ),
  HEDDLE_ADMIN_ADDR: setting(address("127.0.0.1:0"), "where /healthz, /readyz and /metrics listen"),
  HEDDLE_TLS_CERT: setting(path, "PEM file of this program's certificate, reread when it changes"),
  HEDDLE_TLS_KEY: setting(path, "PEM file of its key, reread when it changes"),
  HEDDLE_TLS_CA: setting(path, "PEM file of the mesh's certificate authority, reread when it changes"),
  ...RUN_SETTINGS,
};

/** Of programs that others dial. */
export const LINK_SETTINGS = {
  HEDDLE_LINK_ADDR: setting(
    address("127.0.0.1:0"),
    "where links of other programs come; port 0 lets the system choose",
  ),
};

/** Of programs that clients call, through the edge. */
export const CLIENT_SETTINGS = {
  HEDDLE_GRPC_ADDR: setting(address("127.0.0.1:0"), "where gRPC of clients comes, through the edge"),
  HEDDLE_WEB_ADDR: setting(address("127.0.0.1:0"), "where Connect of clients comes, through the edge"),
  ...PROXY_SETTINGS,
};

export type EveryValues = SettingValues<typeof EVERY_SETTINGS>;

/** Where a program listens; undefined where it has no such listener. */
export interface Addresses {
  readonly link: ListenAddress | undefined;
  readonly grpc: ListenAddress | undefined;
  readonly web: ListenAddress | undefined;
  readonly xds: ListenAddress | undefined;
  readonly admin: ListenAddress;
}

const LISTENERS = [
  "HEDDLE_LINK_ADDR",
  "HEDDLE_GRPC_ADDR",
  "HEDDLE_WEB_ADDR",
  "HEDDLE_XDS_ADDR",
  "HEDDLE_ADMIN_ADDR",
] as const;

type Env = Readonly<Record<string, string | undefined>>;
type Texts = Readonly<Record<string, unknown>>;

/** Paths of the three files by which programs know one another; undefined without them. */
export interface TlsPaths {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Reads the settings of a program: those of every program, and its own. Throws SettingsError with a line per problem.
 * `signsItself`: it signs the development profile's user tokens.
 */
export function readProgramSettings<S extends Settings>(
  own: S,
  env: Env,
  signsItself: boolean,
): SettingValues<typeof EVERY_SETTINGS & S> {
  const settings = { ...EVERY_SETTINGS, ...own };
  const values = readSettings(settings, env, { prefix: "HEDDLE_", others: OTHERS });
  const problems = problemsOf(values as EveryValues & Texts, env, signsItself);
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  return values;
}

export function addressesOf(values: Texts): Addresses {
  const at = (name: (typeof LISTENERS)[number]) => {
    const text = values[name];
    return typeof text === "string" ? addressOf(text) : undefined;
  };
  return {
    link: at("HEDDLE_LINK_ADDR"),
    grpc: at("HEDDLE_GRPC_ADDR"),
    web: at("HEDDLE_WEB_ADDR"),
    xds: at("HEDDLE_XDS_ADDR"),
    admin: addressOf(String(values.HEDDLE_ADMIN_ADDR)),
  };
}

export function tlsPathsOf(values: EveryValues): TlsPaths | undefined {
  const { HEDDLE_TLS_CERT: certificate, HEDDLE_TLS_KEY: key, HEDDLE_TLS_CA: ca } = values;
  return certificate && key && ca ? { certificate, key, ca } : undefined;
}

function problemsOf(values: EveryValues & Texts, env: Env, signsItself: boolean): string[] {
  const isDevelopment = values.HEDDLE_PROFILE === "development";
  const addresses = Object.fromEntries(LISTENERS.map((name) => [name, values[name] as string | undefined]));
  return [
    ...(isDevelopment ? reachableProblems(addresses) : developmentSettings(env)),
    ...("HEDDLE_AUTH_ISSUER" in values ? signerProblems(values, isDevelopment && signsItself) : []),
    ...tlsProblems(values, addresses),
    ...advertiseProblems(values, addresses),
  ];
}

function signerProblems(values: Texts, isOwn: boolean): string[] {
  const auth = values as SettingValues<typeof AUTH_SETTINGS> & Texts;
  if (!isOwn) return providerProblems(auth, "a program that does not sign them needs it");
  const problems = (["HEDDLE_AUTH_ISSUER", "HEDDLE_AUTH_JWKS_URL"] as const)
    .filter((name) => auth[name] !== undefined)
    .map(
      (name) =>
        `${name}: the development profile signs user tokens itself: leave it out, or set HEDDLE_PROFILE=production`,
    );
  if (auth.HEDDLE_DEV_KEY_FILE === undefined)
    problems.push("HEDDLE_DEV_KEY_FILE: the development profile needs it, to sign user tokens");
  return problems;
}

/** Without certificates anybody who reaches a listener is believed, so nobody else may. */
function tlsProblems(values: EveryValues, addresses: Readonly<Record<string, string | undefined>>): string[] {
  const names = ["HEDDLE_TLS_CERT", "HEDDLE_TLS_KEY", "HEDDLE_TLS_CA"] as const;
  const unset = names.filter((name) => values[name] === undefined);
  if (unset.length === 0) return [];
  if (unset.length < names.length)
    return unset.map((name) => `${name}: set all three of ${names.join(", ")}, or none`);
  const problems = Object.entries(addresses)
    .filter(([, text]) => text !== undefined && !isLoopback(addressOf(text)))
    .map(([name]) => `${name}: other machines reach it: set ${names.join(", ")}, or use 127.0.0.1`);
  const away = listIn(values.HEDDLE_REGISTRY_URL).filter((url) => !isSafe(new URL(url)));
  return [
    ...problems,
    ...away.map((url) => `HEDDLE_REGISTRY_URL: ${url} is plain http to another machine: use https`),
  ];
}

/** Nobody can dial "every address of this machine". */
function advertiseProblems(
  values: EveryValues,
  addresses: Readonly<Record<string, string | undefined>>,
): string[] {
  if (values.HEDDLE_ADVERTISE_HOST !== undefined) return [];
  const isAnywhere = (text: string | undefined) =>
    text !== undefined && ["0.0.0.0", "::"].includes(parseListenAddress(text)?.host ?? "");
  const listeners = LISTENERS.filter((name) => name !== "HEDDLE_ADMIN_ADDR" && isAnywhere(addresses[name]));
  if (listeners.length === 0) return [];
  return [`HEDDLE_ADVERTISE_HOST: ${listeners.join(", ")} listen everywhere: name the host that others dial`];
}

function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.host !== "";
}
