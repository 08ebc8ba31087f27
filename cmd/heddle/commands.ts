import { Command, CommanderError } from "commander";
import type { Heddle } from "../../internal/app/all-in-one.ts";
import { openDevTokenSigner } from "../../internal/app/folder/credentials.ts";
import { openDataFolder } from "../../internal/app/folder/data-folder.ts";
import { EXIT, runService, startFailure } from "../../internal/app/run-service.ts";
import { type HeddleConfig, readConfig, SETTINGS } from "../../internal/app/settings/config.ts";
import { versionLine } from "../../internal/app/settings/versions.ts";
import { systemClock } from "../../internal/base/clock.ts";
import { describeSettings, SettingsError } from "../../internal/base/env.ts";
import { USER_ID_PATTERN, USER_ID_RULE } from "../../internal/base/ids.ts";
import { adminCommands } from "./admin.ts";
import { capacityCommand } from "./capacity.ts";
import { readyJson, readyLines } from "./ready-lines.ts";

/** Stands below the list of commands: what a newcomer does first, and what a script needs. */
const EXAMPLES = `
Examples:
  heddle                          serve; the page is at http://127.0.0.1:8480 then
  heddle token ann                a token to sign in as ann, for a client of one's own
  heddle config print             every setting, what it means, and what it is
  HEDDLE_DATA_DIR=/srv/heddle heddle     keep the data there instead of in ./data
  heddle admin backup /backup/monday     copy the data while Heddle runs; docs/backup.md has the whole drill
  heddle capacity --users 2M             what two million users would take

Exit codes: 0 well, 1 failed, 2 wrong use or a wrong setting, 3 what it needs does not answer.`;

/**
 * The settings of this run. Read by each command when it runs, so that `heddle --help` works under wrong ones; throws
 * SettingsError.
 */
const config = (): HeddleConfig => read().config;
/** Settings and how they were written. What stderr is decides how much is logged by default. */
const read = () => readConfig(process.env, process.stderr.isTTY === true);

/**
 * Runs the command line, `argv` as the process got it. Resolves to the exit code (docs/design.md, section 12); never
 * rejects. What a command prints for programs goes to stdout, everything else to stderr.
 */
export async function runHeddle(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.well;
  const program = commandLine((result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    // Commander has printed its help or its complaint already; asking for help is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.well : EXIT.wrongUse;
    process.stderr.write(`heddle: ${startFailure(error)}\n`);
    return error instanceof SettingsError ? EXIT.wrongUse : EXIT.failed;
  }
}

/** Every command with its options. A command hands its exit code to `exit` and throws what ends it in another way. */
function commandLine(exit: (code: number) => void): Command {
  const program = new Command("heddle")
    .description(
      "All of Heddle in one process. Settings are environment variables: see `heddle config print`.",
    )
    .addHelpText("after", EXAMPLES)
    .version(versionLine(), "-V, --version", "print the versions of program, contract and data folder")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "heddle: ")) })
    .exitOverride()
    .showHelpAfterError("(heddle --help lists commands and options)");
  program
    .command("serve", { isDefault: true })
    .description("start and serve until Ctrl-C; what `heddle` alone does")
    .option("--json", "when ready, print the addresses that clients dial, in one line of JSON")
    .option("--check-config", "say whether the settings are good; starts nothing, connects to nothing")
    // As the default it also gets every word that is no command, so it is here that such a word is named.
    .allowExcessArguments()
    .action(async (options: { json?: boolean; checkConfig?: boolean }, command: Command) => {
      const [word] = command.args;
      if (word !== undefined)
        throw new SettingsError(`there is no command "${word}" (heddle --help lists them)`);
      exit(await serve(options));
    });
  program
    .command("token <user>")
    .description(
      "print a user token for any user_id, where the profile is development; also while Heddle runs",
    )
    .option("--ttl <seconds>", "how long it is good (default: HEDDLE_DEV_TOKEN_TTL_S)")
    .action(async (user: string, options: { ttl?: string }) => exit(await token(user, options.ttl)));
  adminCommands(program, config, exit);
  capacityCommand(program, exit);
  program
    .command("config")
    .description("the settings that a start would have")
    .command("print")
    .description("print every setting with its meaning and value, as lines of a shell; secrets are not shown")
    .action(() => {
      process.stdout.write(describeSettings(SETTINGS, read().values));
    });
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    command.showHelpAfterError(`(${pathOf(command)} --help says more)`);
  }
  return program;
}

/** All words that lead to a command, `heddle admin verify`. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Serves until a signal. Settings that do not make sense end it before anything is opened. */
async function serve(options: { json?: boolean; checkConfig?: boolean }): Promise<number> {
  const settings = config();
  // Reached only if reading them did not throw.
  if (options.checkConfig) {
    process.stdout.write(
      "the settings are good; no connection was tried, no address taken, no data opened\n",
    );
    return EXIT.well;
  }
  return await runService({
    name: "heddle",
    start: async (stopped, again?: Heddle) => {
      // Here, so that the other commands do not wait for all of Heddle to be loaded.
      const { startHeddle } = await import("../../internal/app/all-in-one.ts");
      const running = await startHeddle(again ? whereItWas(settings, again) : settings, { stopped });
      return { running, log: running.log };
    },
    onReady: (running) => {
      const text = options.json ? readyJson(running) : readyLines(running, settings);
      process.stdout.write(`${text}\n`);
    },
  });
}

/** Where the system chose ports, clients go on dialling those. */
function whereItWas(settings: HeddleConfig, { grpcUrl, webUrl, adminUrl }: Heddle): HeddleConfig {
  const at = (address: HeddleConfig["grpcAddress"], url: string) => ({
    ...address,
    port: Number(new URL(url).port),
  });
  return {
    ...settings,
    grpcAddress: at(settings.grpcAddress, grpcUrl),
    webAddress: at(settings.webAddress, webUrl),
    adminAddress: at(settings.adminAddress, adminUrl),
  };
}

/**
 * Prints a token, for anyone who can read the data folder. It asks no running Heddle: the key that signs is in the
 * folder, and one that starts later takes it as well.
 */
async function token(user: string, ttl: string | undefined): Promise<number> {
  const settings = config();
  if (settings.profile !== "development") {
    throw new SettingsError(
      "heddle token: only the development profile signs anyone in: unset HEDDLE_PROFILE",
    );
  }
  if (!USER_ID_PATTERN.test(user)) throw new SettingsError(`${user}: a user is ${USER_ID_RULE}`);
  const ttlS = ttl === undefined ? settings.devTokenTtlS : Number(ttl);
  // `--ttl 1h` gives NaN, which is refused here and not taken for the default.
  if (!Number.isInteger(ttlS) || ttlS < 1)
    throw new SettingsError("--ttl: write a whole number of seconds from 1");
  const sign = await openDevTokenSigner(settings, await openDataFolder(settings.dataDir), systemClock);
  process.stdout.write(`${await sign(user, ttlS)}\n`);
  return EXIT.well;
}
