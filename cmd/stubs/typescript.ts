import { join } from "node:path";
import { bufGenerate, ROOT } from "./tool.ts";

/**
 * TypeScript code for protobuf-es 2, with what it imports, for who wants the contract alone and not @heddle/client.
 * Needs only what `make install` installs. Rejects with ToolError.
 */
export async function typescriptStubs(folder: string): Promise<string> {
  const plugin = ["node", join(ROOT, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es")];
  await bufGenerate(folder, [
    { local: plugin, out: ".", opt: ["target=ts", "import_extension=js"], include_imports: true },
  ]);
  return "They need @bufbuild/protobuf 2.17.0; call services with @connectrpc/connect, or take @heddle/client for all of it.";
}
