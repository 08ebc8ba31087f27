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

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
  version: string;
};

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

Programs (--json) say on the input, one a line: {"to":"bob","text":"hi"}, {"to":"bob","read_seq":3},
{"to":"bob","typing":true}, {"watch":["bob"]} for whose presence they want to hear of (else that of the 100 most
recent chats). Of a person at a terminal it is said that they are typing while they type a message.

Exit codes: 0 well, 1 failed, 2 wrong use, 3 the server is away, or something is not sent yet.`;

/** Runs the command line, without program name. Resolves to the exit code; problems are one line on stderr. */
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

/** `as ann` may stand anywhere before the command's own words; the rest is parsed without it. */
function takeUser(argv: readonly string[]): { userId: string | undefined; rest: readonly string[] } {
  const at = argv.indexOf("as");
  if (at < 0) return { userId: undefined, rest: argv };
  return { userId: argv[at + 1], rest: [...argv.slice(0, at), ...argv.slice(at + 2)] };
}

function commands(userId: string | undefined, exit: (code: number) => void): Command {
  const program = new Command("chat as <user>")
    .description("Chat through Heddle from a terminal.")
    .usage("[options] [command]")
    .addHelpText("after", EXAMPLES)
    .version(`chat ${version}, node ${process.versions.node}`, "-V, --version", "print the version")
    .option("--json", "one JSON object a line, for programs; with an input, lines that send")
    .option("--grpc <url>", "where Heddle's gRPC listener is (HEDDLE_GRPC_URL, http://127.0.0.1:8440)")
    .option("--web <url>", "where tokens come from in development (HEDDLE_WEB_URL, http://127.0.0.1:8480)")
    .option("--token-file <path>", "a file with a user token, instead of development tokens")
    .option(
      "--state <folder>",
      "where device, outbox and history are kept (a folder of the user in $XDG_STATE_HOME/heddle)",
    )
    .option("--wait <seconds>", "how long to wait for the server before giving up (10)")
    .exitOverride()
    .showHelpAfterError("(chat --help lists the commands)");

  const settingsOf = (): Settings => {
    if (userId === undefined)
      throw new ChatError(EXIT.wrongUse, "say who you are: chat as ann (chat --help for more)");
    return readSettings(userId, program.opts<Options>(), process.env);
  };
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

  program.allowExcessArguments(true).action(async () => {
    const [word] = program.args;
    if (word !== undefined) throw new ChatError(EXIT.wrongUse, `there is no command "${word}" (chat --help)`);
    await run((open, settings) =>
      settings.json
        ? jsonMode(open.client, settings, streams, true)
        : live(open, settings, streams, undefined),
    );
  });
  program
    .command("to <chat> [text...]")
    .description("send a message to a user or a group (+name), or open the conversation if there is no text")
    .action(async (to: string, words: string[]) => {
      named(to);
      if (words.length === 0) return await run((open, settings) => live(open, settings, streams, to));
      await runOnce(({ client }, settings) => sendOnce(client, settings, to, words.join(" "), output));
    });
  program
    .command("history <chat>")
    .description("print the last messages with a user or of a group (+name)")
    .option("--limit <n>", "how many (50)")
    .action(async (chat: string, options: { limit?: string }) => {
      named(chat);
      const limit = Number(options.limit ?? 50);
      if (!(Number.isInteger(limit) && limit >= 1 && limit <= 5_000)) {
        throw new ChatError(EXIT.wrongUse, "--limit takes 1–5000");
      }
      await runOnce(({ client }, settings) => printHistory(client, settings, chat, limit, output));
    });
  program
    .command("threads")
    .description("print all conversations, the most recent first")
    .action(async () => runOnce(({ client }, settings) => printThreads(client, settings, output)));
  program
    .command("listen")
    .description("print everything that happens, until Ctrl-C")
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
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    command
      .option("--json", "as above")
      .exitOverride()
      .showHelpAfterError("(chat --help lists the commands)");
    command.hook("preAction", () => {
      if (command.opts<Options>().json) program.setOptionValue("json", true);
    });
  }
  return program;
}
