import { readFileSync } from "node:fs";
import type { z } from "zod";

/** One setting: an environment variable, what it may be, and what it is for. */
export interface Setting<T = unknown> {
  /** Turns the text, or undefined where it is not set, into the value: defaults stand here. */
  readonly schema: z.ZodType<T>;
  /** One line for people: meaning, unit, default. */
  readonly about: string;
  /** Never shown; may also be given as the path of a file that holds it, under NAME_FILE. An empty file is refused. */
  readonly secret?: boolean;
}

/** Settings by the name of their environment variable. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of settings. */
export type SettingValues<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Something in the environment is wrong. Its message has one line per problem, each of which says what to do. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * Reads settings from the environment, all problems at once. Throws SettingsError, also for a variable that begins
 * with `prefix` and is no setting: a typing error must not run with a default. Variables for other programs of the
 * project are named in `others` (a name, or a beginning that ends with `_`).
 */
export function readSettings<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly prefix: string; readonly others: readonly string[] },
): SettingValues<S> {
  const problems = unknownNames(settings, env, options);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const text = textOf(name, setting, env, problems);
    const result = setting.schema.safeParse(text === "" ? undefined : text);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}: ${result.error.issues.map((issue) => issue.message).join("; ")}`);
  }
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  return values as SettingValues<S>;
}

/** The settings as `NAME=value` lines, each below a line that explains it. Secrets show only whether they are set. */
export function describeSettings<S extends Settings>(settings: S, values: SettingValues<S>): string {
  return Object.entries(settings)
    .map(([name, setting]) => {
      const value = values[name as keyof S];
      const shown = value === undefined ? "" : setting.secret ? "[set]" : String(value);
      const ways = setting.secret ? `; or ${name}_FILE, a file that holds it` : "";
      return `# ${setting.about}${ways}\n${name}=${shown}\n`;
    })
    .join("");
}

function textOf(
  name: string,
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const path = setting.secret ? env[`${name}_FILE`] : undefined;
  if (path === undefined || path === "") return env[name];
  if (env[name]) problems.push(`${name}: is set, and ${name}_FILE too: leave one out`);
  try {
    const text = readFileSync(path, "utf8").trim();
    // A secret that was not delivered must not run with a default.
    if (text === "")
      problems.push(`${name}_FILE: ${path} is empty: write the value there, or unset ${name}_FILE`);
    return text;
  } catch (error) {
    problems.push(`${name}_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

function unknownNames(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly prefix: string; readonly others: readonly string[] },
): string[] {
  const names = Object.keys(settings);
  const known = new Set(names.flatMap((name) => (settings[name]?.secret ? [name, `${name}_FILE`] : [name])));
  const isOther = (name: string) =>
    options.others.some((other) => (other.endsWith("_") ? name.startsWith(other) : name === other));
  return Object.keys(env)
    .filter((name) => name.startsWith(options.prefix) && env[name] !== undefined && !isOther(name))
    .filter((name) => !known.has(name))
    .map((name) => {
      const meant = nearest(name, names, options.prefix);
      const advice = meant === undefined ? ": mend its name, or leave it out" : `; did you mean ${meant}?`;
      return `${name}: there is no such setting${advice}`;
    });
}

/**
 * The one of `known` that a person who wrote `name` may have meant: one with a slip or two (one in four characters behind the
 * prefix, and one more), or else one that is its beginning, or begins with it, at a `_`.
 */
export function nearest(name: string, known: readonly string[], prefix: string): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (best && best.distance <= 1 + (name.length - prefix.length) / 4) return best.candidate;
  return known.find((candidate) => candidate.startsWith(`${name}_`) || name.startsWith(`${candidate}_`));
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
