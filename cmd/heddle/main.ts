import { runHeddle } from "./commands.ts";

process.exitCode = await runHeddle(process.argv);
