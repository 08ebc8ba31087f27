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
  const problems: string[] = [];
  for (const name of ["HEDDLE_GRPC_ADDR", "HEDDLE_WEB_ADDR", "HEDDLE_ADMIN_ADDR"] as const) {
    const address = parseListenAddress(values[name]);
    if (address && isLoopback(address)) continue;
    problems.push(
      `${name}: the development profile signs anyone in and serves this machine only: ` +
        `use 127.0.0.1 instead of ${values[name]}, or set HEDDLE_PROFILE=production`,
    );
  }
  for (const name of ["HEDDLE_AUTH_ISSUER", "HEDDLE_AUTH_JWKS_URL"] as const) {
    if (values[name] === undefined) continue;
    problems.push(
      `${name}: the development profile signs user tokens itself: leave it out, or set HEDDLE_PROFILE=production`,
    );
  }
  return problems;
}

function productionProblems(
  values: ProfileValues,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  // By what is set, and not by what it says: a token lifetime of development has no meaning here, and shows that
  // somebody expects one.
  const problems = Object.keys(env)
    .filter((name) => name.startsWith("HEDDLE_DEV_") && env[name] !== undefined)
    .map(
      (name) => `${name}: is for the development profile: leave it out, or set HEDDLE_PROFILE=development`,
    );
  for (const name of ["HEDDLE_AUTH_ISSUER", "HEDDLE_AUTH_JWKS_URL"] as const) {
    if (values[name] === undefined) problems.push(`${name}: production needs it, to check user tokens`);
  }
  const jwks = values.HEDDLE_AUTH_JWKS_URL;
  if (jwks !== undefined && !isSafe(new URL(jwks))) {
    problems.push(
      "HEDDLE_AUTH_JWKS_URL: keys must not be fetched over plain http from another machine: use https",
    );
  }
  return problems;
}

/** Whether keys that come from there are the provider's: nobody between could have changed them. */
function isSafe(url: URL): boolean {
  return (
    url.protocol === "https:" || isLoopback({ host: url.hostname.replace(/[[\]]/g, ""), port: 0, text: "" })
  );
}
