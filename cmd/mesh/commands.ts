import { Command, CommanderError } from "commander";
import { SettingsError } from "../../internal/base/env.ts";
import { down } from "./down.ts";
import { meshSettings } from "./settings.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";

/** Exit codes, as the other programs have them (docs/design.md, section 12). */
const EXIT = { well: 0, failed: 1, wrongUse: 2 } as const;

interface Options {
  readonly store?: string;
  readonly port?: string;
}

/** Runs the command line, `argv` as the process got it. Resolves to the exit code; never rejects. */
export async function runMesh(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.well;
  try {
    await commandLine((result) => {
      code = result;
    }).parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.well : EXIT.wrongUse;
    const isWrong = error instanceof SettingsError;
    process.stderr.write(`mesh: ${isWrong ? error.message : ((error as Error).stack ?? error)}\n`);
    return isWrong ? EXIT.wrongUse : EXIT.failed;
  }
}

function commandLine(exit: (code: number) => void): Command {
  const program = new Command("mesh")
    .description("All of Heddle's programs, and the engines that they stand on, on this machine.")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "mesh: ")) })
    .exitOverride()
    .showHelpAfterError("(mesh --help lists commands and options)");
  const withMesh = (command: Command) =>
    command
      .option(
        "--store <name>",
        "postgres for the small mesh, hbase for the whole one (a new folder's default)",
      )
      .option("--port <number>", "what clients dial, on 127.0.0.1 (default: 8443)");
  withMesh(program.command("up", { isDefault: true }))
    .description("start it, and leave it running in the background")
    .action(async (options: Options) => exit(await up(meshSettings(options, process.env), options)));
  program
    .command("down")
    .description("end it; the data stays")
    .action(async () => exit(await down(meshSettings({}, process.env))));
  program
    .command("status")
    .description("what runs, in one screen")
    .option("--json", "as one line of JSON")
    .action(async ({ json }: { json?: boolean }) =>
      exit(await status(meshSettings({}, process.env), json === true)),
    );
  withMesh(program.command("supervise", { hidden: true })).action(async (options: Options) => {
    // Only here is all of it loaded.
    const { superviseHere } = await import("./supervise-here.ts");
    exit(await superviseHere(meshSettings(options, process.env)));
  });
  return program;
}
