import { runBench } from "./command-line.ts";

process.exitCode = await runBench(process.argv);
