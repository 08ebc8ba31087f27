import { runChat } from "./command-line.ts";

// `chat … | head` is no fault: there is nobody left to print to.
process.stdout.on("error", () => process.exit(0));
process.exitCode = await runChat(process.argv.slice(2));
