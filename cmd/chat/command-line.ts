import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { asHeddleError, HeddleError } from "../../client/index.ts";
import { addDeviceCommands } from "./commands/device-commands.ts";
import { addGroupCommands } from "./commands/group-commands.ts";
import { jsonMode } from "./commands/json-mode.ts";
import { printHistory, printThreads } from "./commands/listing.ts";
import { sendOnce } from "./commands/one-shot.ts";
import { sayPutBack } from "./commands/put-back-notice.ts";
import { signInAnew } from "./commands/sign-in-anew.ts";
import { type OpenClient, withClient } from "./device/open-client.ts";
import { type Options, readSettings, type Settings } from "./device/settings.ts";
import { ChatError, EXIT } from "./exit-code.ts";
import { live } from "./live/live.ts";
import { named } from "./text/user-name.ts";

// The package is not built: the version stands in one place.
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
  version: string;
};

const JSON_HELP = "print one JSON object a line, for programs";

/** Below the help of each command, which lists that command's own options only. */
const MORE_HELP = "\nWhere the server is, who signs in, and examples: chat --help.";

const EXAMPLES = `
Examples:
  chat as ann                    the live view: choose a conversation, read, write
  chat as ann to bob "hi"        send one message, and say what became of it
  chat as ann to bob             the conversation with bob
  chat as ann history bob        the last 50 messages with bob
  chat as ann threads            all conversations
  chat as ann listen --json      every event, one JSON object a line
  chat as ann group new Weekend bob cleo     make a group; then: to +weekend "hi", history +weekend
  chat as ann group add +weekend dan         also: remove, role, rename, leave, members
  chat as ann block bob          also: unblock, blocked
  chat as ann devices            also: devices revoke <device>; sign-in, where this device was signed out
  chat as ann to user:-bob "hi"  a user whose id begins with + or -; group:weekend is +weekend

With --json a program reads one object a line, and may write such lines to the input:
  {"to":"bob","text":"hi"}       sends; {"thread":"<hex>", …} stands for "to" in every line, for groups above all
  {"to":"bob","read_seq":3}      bob's messages up to seq 3 have been read
  {"to":"bob","typing":true}     ann is typing; say it every few seconds while it is so
  {"watch":["bob"]}              tells when bob comes and goes; without it, of the users of the 100 newest chats
At a terminal, others see that you are typing while you type a message.

Exit codes: 0 well, 1 failed, 2 wrong use, 3 the server is away, or something is not sent yet.`;

/**
 * Runs the command line, `argv` without the program's name. Resolves to the exit code and never rejects; a problem is
 * one line on stderr, so that stdout holds what was asked for and nothing else.
 */
export async function runChat(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.well;
  const { userId, rest } = takeUser(argv);
  const program = commands(userId, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(rest, { from: "user" });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.well : EXIT.wrongUse;
    const error = thrown instanceof ChatError ? thrown : asHeddleError(thrown);
    process.stderr.write(`chat: ${error.message}\n`);
    return error instanceof HeddleError ? EXIT.failed : error.exitCode;
  }
}

/** Options whose value is the next word. */
const WITH_VALUE: ReadonlySet<string> = new Set(["--grpc", "--web", "--token-file", "--state", "--wait"]);

/**
 * Takes `as ann` out, which stands before the command: only options may come first. An `as` further on is a word of the
 * command, such as of a message: taken for a user's name, the message would go out in somebody else's.
 */
function takeUser(argv: readonly string[]): { userId: string | undefined; rest: readonly string[] } {
  let at = 0;
  while (argv[at]?.startsWith("-")) at += WITH_VALUE.has(argv[at] ?? "") ? 2 : 1;
  if (argv[at] !== "as") return { userId: undefined, rest: argv };
  return { userId: argv[at + 1], rest: [...argv.slice(0, at), ...argv.slice(at + 2)] };
}

/** Every command with its options. Nothing is opened until a command runs, so help needs no user and no server. */
function commands(userId: string | undefined, exit: (code: number) => void): Command {
  const program = new Command("chat as <user>")
    .description("Chat through Heddle from a terminal.")
    .usage("[options] [command]")
    .addHelpText("after", EXAMPLES)
    .version(`chat ${version}, node ${process.versions.node}`, "-V, --version", "print the version")
    .option("--json", JSON_HELP)
    .option("--grpc <url>", "Heddle's gRPC listener (default: HEDDLE_GRPC_URL, else http://127.0.0.1:8440)")
    .option(
      "--web <url>",
      "where the development profile gives tokens (default: HEDDLE_WEB_URL, else http://127.0.0.1:8480)",
    )
    .option(
      "--token-file <path>",
      "sign in with the user token in this file, not by name; it is read at each use",
    )
    .option(
      "--state <folder>",
      "what this device keeps: its name, messages to send, history (default: one for each user and server in $XDG_STATE_HOME/heddle)",
    )
    .option("--wait <seconds>", "how long to wait for the server, 0–3600 (default: 10)")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "chat: ")) })
    .exitOverride()
    .showHelpAfterError("(chat --help lists commands and options)");

  /** Settings of the command that runs. Late, because options may stand behind the command's own words. */
  const settingsOf = (): Settings => {
    if (userId === undefined)
      throw new ChatError(EXIT.wrongUse, "say who you are: chat as ann (chat --help for more)");
    return readSettings(userId, program.opts<Options>(), process.env);
  };
  /** Runs what needs a client, from its opening to its close. */
  const run = async (use: (open: OpenClient, settings: Settings) => Promise<number>): Promise<void> => {
    const settings = settingsOf();
    exit(await withClient(settings, (open) => use(open, settings)));
  };
  const { stdin: input, stdout: output } = process;
  const streams = { input, output };
  /** For commands that do one thing and end. The others show `put_back` among what they show. */
  const runOnce: typeof run = (use) =>
    run((open, settings) => {
      sayPutBack(open.client, settings, output);
      return use(open, settings);
    });

  // No command: the live view. What is typed wrong ends here too, as a word too many.
  program.allowExcessArguments(true).action(async () => {
    const [word] = program.args;
    if (word !== undefined)
      throw new ChatError(EXIT.wrongUse, `there is no command "${word}" (chat --help lists them)`);
    await run((open, settings) =>
      settings.json
        ? jsonMode(open.client, settings, streams, true)
        : live(open, settings, streams, undefined),
    );
  });
  program
    .command("to <chat> [text...]")
    .description(
      "send a message to a user or a group (+name) and say what became of it; without text, open the conversation",
    )
    .action(async (to: string, words: string[]) => {
      // Before a client is opened: a wrong name is told at once, also where no server is.
      named(to);
      if (words.length === 0) return await run((open, settings) => live(open, settings, streams, to));
      await runOnce(({ client }, settings) => sendOnce(client, settings, to, words.join(" "), output));
    });
  program
    .command("history <chat>")
    .description("print the last messages with a user or of a group (+name)")
    .option("--limit <n>", "how many, 1–5000 (default: 50)")
    .action(async (chat: string, options: { limit?: string }) => {
      named(chat);
      const limit = Number(options.limit ?? 50);
      if (!(Number.isInteger(limit) && limit >= 1 && limit <= 5_000)) {
        throw new ChatError(EXIT.wrongUse, "--limit takes a whole number from 1 to 5000");
      }
      await runOnce(({ client }, settings) => printHistory(client, settings, chat, limit, output));
    });
  program
    .command("threads")
    .description("print all conversations, the most recent first")
    .action(async () => runOnce(({ client }, settings) => printThreads(client, settings, output)));
  program
    .command("listen")
    .description("print everything that happens, until Ctrl-C; with --json also do what the input says")
    .action(async () => {
      await run((open, settings) =>
        settings.json
          ? jsonMode(open.client, settings, streams, false)
          : live(open, settings, streams, undefined),
      );
    });
  addGroupCommands(program, runOnce, output);
  addDeviceCommands(program, runOnce, output);
  program
    .command("sign-in")
    .description("sign in anew, as another device, after this one was signed out; what waited goes out")
    .action(async () => exit(await signInAnew(settingsOf(), output)));
  // What all commands share. --json is named for each, so that its help has it, and passed up to where it is read.
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    command
      .option("--json", JSON_HELP)
      .addHelpText("after", MORE_HELP)
      .allowExcessArguments(false)
      .exitOverride()
      .showHelpAfterError(`(chat ${pathOf(command)} --help says more)`);
    command.hook("preAction", () => {
      if (command.opts<Options>().json) program.setOptionValue("json", true);
    });
  }
  return program;
}

/** The words that lead to a command, `group add`. */
function pathOf(command: Command): string {
  const group = command.parent?.parent ? `${command.parent.name()} ` : "";
  return `${group}${command.name()}`;
}
