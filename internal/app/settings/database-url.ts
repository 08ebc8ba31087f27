import { z } from "zod";
import { nearest } from "../../base/env.ts";

/**
 * The parameters of a database's URL, each with the values that it may have, if they are few. Others would be passed over in
 * silence, and TLS with them: so they are refused.
 */
const PARAMETERS: Readonly<Record<string, readonly string[] | undefined>> = {
  sslmode: ["disable", "no-verify", "prefer", "require", "verify-ca", "verify-full"],
  sslrootcert: undefined,
  sslcert: undefined,
  sslkey: undefined,
  sslnegotiation: ["postgres", "direct"],
  ssl: ["true", "1", "0", "no-verify"],
  uselibpqcompat: ["true", "false"],
  host: undefined,
  port: undefined,
  user: undefined,
  password: undefined,
  application_name: undefined,
  client_encoding: ["utf8", "UTF8"],
  options: undefined,
};

const FORM = "write postgres://user:password@host:5432/database, with what is special in the password as %XX";

/** A Postgres, by its URL. No value of it is shown, for it has a password. */
export const databaseUrl = z
  .string()
  .superRefine((text, context) => {
    for (const message of problemsOf(text)) context.addIssue({ code: "custom", message });
  })
  .optional();

function problemsOf(text: string): string[] {
  // A Unix socket's host may be left empty, which no URL of WHATWG's has.
  const url = URL.parse(text.replace("@/", "@localhost/"));
  if (!/^postgres(ql)?:\/\/./.test(text) || url === null) return [FORM];
  return [...url.searchParams].flatMap(([name, value]) => parameterProblem(name, value) ?? []);
}

function parameterProblem(name: string, value: string): string | undefined {
  // With a "?" in the password its end would stand here.
  if (!/^\w+$/.test(name)) return `what stands behind "?" is no name of a parameter: ${FORM}`;
  const names = Object.keys(PARAMETERS);
  if (!names.includes(name)) {
    const meant = nearest(name, names, "");
    const advice = meant === undefined ? `: use those of ${names.join(", ")}` : `; did you mean ${meant}?`;
    return `Heddle knows no parameter ${name} of the URL${advice}`;
  }
  const values = PARAMETERS[name];
  if (!values || values.includes(value)) return undefined;
  return `parameter ${name} of the URL: write one of ${values.join(", ")}`;
}
