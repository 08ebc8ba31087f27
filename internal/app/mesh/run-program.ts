import { parseArgs } from "node:util";
import { describeSettings, type Settings, SettingsError } from "../../base/env.ts";
import { EXIT, runService, startFailure } from "../run-service.ts";
import { versionLine } from "../settings/versions.ts";
import type { ProgramKind } from "./program.ts";
import { EVERY_SETTINGS, readProgramSettings } from "./settings.ts";
import { type RunningProgram, startProgram } from "./start-program.ts";

const HELP = `Settings are environment variables: \`config print\` lists them.

  --json          when ready, print the addresses in one line of JSON
  --check-config  say whether the settings are good; starts nothing, connects to nothing
  config print    print every setting with its meaning and value; secrets are not shown
  --version, -V   print the version
  --help, -h      print this

Exit codes: 0 well, 1 failed, 2 wrong use or a wrong setting, 3 what it needs does not answer.
`;

/** Runs one program of the mesh by its command line. Resolves to the exit code (docs/design.md, section 12). */
export async function runProgram<S extends Settings>(
  kind: ProgramKind<S>,
  argv: readonly string[],
): Promise<number> {
  const { service } = kind;
  const isTerminal = process.stderr.isTTY === true;
  const read = () => readProgramSettings(kind.settings, process.env, kind.signsItself === true);
  try {
    const { values: flags, positionals } = options(argv.slice(2));
    if (flags.help) return print(`heddle ${service}: one program of the mesh. ${HELP}`);
    if (flags.version) return print(`${versionLine()}\n`);
    if (positionals.join(" ") === "config print")
      return print(describeSettings({ ...EVERY_SETTINGS, ...kind.settings }, read()));
    if (positionals.length > 0)
      throw new SettingsError(`there is no command "${positionals.join(" ")}" (--help lists them)`);
    const values = read();
    if (flags["check-config"])
      return print("the settings are good; no connection was tried, no address taken\n");
    return await runService({
      name: service,
      start: async (stopped, again?: RunningProgram) => {
        const running = await startProgram({ kind, values, isTerminal, stopped, again });
        return { running, log: running.log };
      },
      onReady: (running) => void print(flags.json ? readyJson(running) : readyLine(running)),
    });
  } catch (error) {
    process.stderr.write(`${service}: ${startFailure(error)}\n`);
    return error instanceof SettingsError ? EXIT.wrongUse : EXIT.failed;
  }
}

function options(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        "check-config": { type: "boolean" },
        version: { type: "boolean", short: "V" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new SettingsError(`${(error as Error).message} (--help lists options)`);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.well;
}

function readyLine({ service, name, addresses }: RunningProgram): string {
  const at = Object.entries(addresses).map(([word, address]) => `${word} ${address}`);
  return `${service} ${name} is ready. ${at.join("  ")}\n`;
}

/**
 * In one line, for programs that let the system choose ports: `_addr` is host:port. Names are a contract: fields are
 * added, never taken away.
 */
function readyJson({ service, name, addresses }: RunningProgram): string {
  const at = Object.entries(addresses).map(([word, address]) => [`${word}_addr`, address]);
  return `${JSON.stringify({ type: "ready", service, name, ...Object.fromEntries(at), pid: process.pid })}\n`;
}
