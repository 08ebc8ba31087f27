import { runStubs } from "./stubs.ts";

// `make stubs` starts it and passes LANG and OUT.
process.exitCode = await runStubs(process.argv.slice(2));
