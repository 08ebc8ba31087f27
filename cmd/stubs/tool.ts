import { join } from "node:path";
import { runTool } from "../../internal/engines/install/run-tool.ts";

/** The folder of the project. */
export const ROOT = join(import.meta.dirname, "../..");

/** One plugin of a buf template. */
export interface BufPlugin {
  readonly local?: readonly string[] | string;
  readonly protoc_builtin?: string;
  readonly protoc_path?: string;
  readonly out: string;
  readonly opt?: readonly string[];
  readonly include_imports?: boolean;
}

/** Runs `buf generate` over Heddle's own files, without the validation rules, whose package few languages have. */
export async function bufGenerate(folder: string, plugins: readonly BufPlugin[]): Promise<void> {
  const inputs = [{ directory: ROOT, paths: ["proto/heddle"], exclude_types: ["buf.validate"] }];
  const template = JSON.stringify({ version: "v2", plugins, inputs });
  await runTool(
    join(ROOT, "node_modules/.bin/buf"),
    ["generate", "--template", template, "-o", folder],
    "run make install",
    { cwd: ROOT },
  );
}
