import { runStubs } from "./stubs.ts";

process.exitCode = await runStubs(process.argv.slice(2));
