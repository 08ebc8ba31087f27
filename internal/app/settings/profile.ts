import { isLoopback, parseListenAddress } from "../../rpc/listen-address.ts";

/** The settings that the profiles judge. */
export interface ProfileValues {
  readonly HEDDLE_PROFILE: "development" | "production";
  readonly HEDDLE_GRPC_ADDR: string;
  readonly HEDDLE_WEB_ADDR: string;
  readonly HEDDLE_ADMIN_ADDR: string;
  readonly HEDDLE_AUTH_ISSUER: string | undefined;
  readonly HEDDLE_AUTH_JWKS_URL: string | undefined;
}

/**
 * What stands against starting in this profile, a line each. Development lets anyone in, so it must not be reachable
 * from other machines; production must know who signs its users' tokens, and nothing of development may be set.
 */
export function profileProblems(
  values: ProfileValues,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  return values.HEDDLE_PROFILE === "development"
    ? developmentProblems(values)
    : productionProblems(values, env);
}

/** All of them at once, so that a person mends them in one go. */
function developmentProblems(values: ProfileValues): string[] {
  const { HEDDLE_GRPC_ADDR, HEDDLE_WEB_ADDR, HEDDLE_ADMIN_ADDR } = values;
  const problems = reachableProblems({ HEDDLE_GRPC_ADDR, HEDDLE_WEB_ADDR, HEDDLE_ADMIN_ADDR });
  for (const name of ["HEDDLE_AUTH_ISSUER", "HEDDLE_AUTH_JWKS_URL"] as const) {
    if (values[name] === undefined) continue;
    problems.push(
      `${name}: the development profile signs user tokens itself: leave it out, or set HEDDLE_PROFILE=production`,
    );
  }
  return problems;
}

function productionProblems(values: ProfileValues, env: Env): string[] {
  return [...developmentSettings(env), ...providerProblems(values, "production needs it")];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Of addresses, by their settings, at which other machines reach a program of the development profile. */
export function reachableProblems(addresses: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(addresses).flatMap(([name, text]) => {
    const address = parseListenAddress(text ?? "");
    if (text === undefined || (address && isLoopback(address))) return [];
    return [
      `${name}: the development profile signs anyone in and serves this machine only: ` +
        `use 127.0.0.1 instead of ${text}, or set HEDDLE_PROFILE=production`,
    ];
  });
}

/**
 * Settings of the development profile where there is another. By what is set, and not by what it says: a token lifetime of
 * development has no meaning here, and shows that somebody expects one.
 */
export function developmentSettings(env: Env): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("HEDDLE_DEV_") && env[name] !== undefined)
    .map(
      (name) => `${name}: is for the development profile: leave it out, or set HEDDLE_PROFILE=development`,
    );
}

/** What a program lacks that checks user tokens which another signs. `why` it is needed stands in the line. */
export function providerProblems(
  values: Pick<ProfileValues, "HEDDLE_AUTH_ISSUER" | "HEDDLE_AUTH_JWKS_URL">,
  why: string,
): string[] {
  const problems: string[] = [];
  for (const name of ["HEDDLE_AUTH_ISSUER", "HEDDLE_AUTH_JWKS_URL"] as const) {
    if (values[name] === undefined) problems.push(`${name}: ${why}, to check user tokens`);
  }
  const jwks = values.HEDDLE_AUTH_JWKS_URL;
  if (jwks !== undefined && !isSafe(new URL(jwks))) {
    problems.push(
      "HEDDLE_AUTH_JWKS_URL: keys must not be fetched over plain http from another machine: use https",
    );
  }
  return problems;
}

/** Whether what comes from there is the host's own: nobody between could have changed it. */
export function isSafe(url: URL): boolean {
  return (
    url.protocol === "https:" || isLoopback({ host: url.hostname.replace(/[[\]]/g, ""), port: 0, text: "" })
  );
}
