import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolder } from "../../internal/base/make-folder.ts";
import { ToolError } from "../../internal/engines/install/run-tool.ts";
import { goStubs } from "./go.ts";
import { javaStubs } from "./java.ts";
import { pythonStubs } from "./python.ts";
import { typescriptStubs } from "./typescript.ts";

/** What each language's generator does: fills an empty folder, and says in one or two lines how to use what is there. */
const languages: Record<string, (folder: string) => Promise<string>> = {
  go: goStubs,
  java: javaStubs,
  python: pythonStubs,
  typescript: typescriptStubs,
};

const usage = `Usage: make stubs LANG=${Object.keys(languages).join("|")} [OUT=folder]
Writes code of Heddle's contract (proto/heddle) for programs in that language; OUT is stubs/<language> if not given.
`;

/**
 * `make stubs`: LANGUAGE [FOLDER]. Returns the exit code: 0 well, 1 failed, 2 wrong use, 3 a tool that the language
 * needs is not there (docs/design.md, section 12).
 */
export async function runStubs([language = "", folder = ""]: readonly string[]): Promise<number> {
  const generate = languages[language];
  if (!generate) {
    process.stderr.write(`stubs: ${language || "no language"}: choose one.\n${usage}`);
    return 2;
  }
  const target = resolve(folder || join("stubs", language));
  if (existsSync(target) && (await readdir(target)).length > 0) {
    process.stderr.write(`stubs: ${target} is not empty: remove it, or name another folder with OUT=\n`);
    return 2;
  }
  await makeFolder(target, 0o777);
  process.stderr.write(`generating ${language} code (the first time its generator is fetched)…\n`);
  try {
    const next = await generate(target);
    process.stdout.write(`${language} code is in ${target}\n${next}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    process.stderr.write(`stubs: ${error.message}\n`);
    return error.isMissing ? 3 : 1;
  }
}
