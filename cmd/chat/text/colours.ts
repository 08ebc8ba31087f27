import pc from "picocolors";

/** Colours for what stands on a terminal. Text for pipes and files is plain, also where CI is set: the package alone would colour it. */
export const colours = pc.createColors(isColoured(process.env, process.stdout));

/** NO_COLOR forbids colours, FORCE_COLOR wants them; else a terminal has them, unless it is a dumb one. */
export function isColoured(
  env: Readonly<Record<string, string | undefined>>,
  { isTTY = false }: { readonly isTTY?: boolean },
): boolean {
  if (env.NO_COLOR) return false;
  return Boolean(env.FORCE_COLOR) || (isTTY && env.TERM !== "dumb");
}
