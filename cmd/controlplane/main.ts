import { controlplaneProgram } from "../../internal/app/mesh/programs/controlplane.ts";
import { runProgram } from "../../internal/app/mesh/run-program.ts";

// Set and not called: process.exit would cut off what is still on its way to a pipe.
process.exitCode = await runProgram(controlplaneProgram, process.argv);
