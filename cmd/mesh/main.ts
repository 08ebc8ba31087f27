import { runMesh } from "./commands.ts";

// Set and not called: process.exit would cut off what is still on its way to a pipe.
process.exitCode = await runMesh(process.argv);
