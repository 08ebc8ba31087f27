import { runBench } from "./command-line.ts";

// A scenario that was given up may still hold something open; what it started is killed at exit.
process.exit(await runBench(process.argv));
