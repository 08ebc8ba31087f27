import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../internal/engines/install/cached.ts";
import { runTool } from "../../internal/engines/install/run-tool.ts";
import { bufGenerate } from "./tool.ts";

// Pinned, as the tests of docs/examples run what comes out; go.mod gets the same. Raise them together.
const protobuf = "1.36.12";
const plugin = "1.6.2";
const grpc = "1.85.0";
const advice = "install Go 1.26 or newer";

/**
 * Go code as a module `heddle` of its own: packages heddle/push/v1, heddle/message/v1 and so on. Needs Go. Rejects with
 * ToolError.
 */
export async function goStubs(folder: string): Promise<string> {
  const tools = await cached(`go-stubs-${protobuf}-${plugin}`, "protoc-gen-go-grpc", async (target) => {
    const env = { ...process.env, GOBIN: target };
    const sources = [
      `google.golang.org/protobuf/cmd/protoc-gen-go@v${protobuf}`,
      `google.golang.org/grpc/cmd/protoc-gen-go-grpc@v${plugin}`,
    ];
    for (const source of sources) await runTool("go", ["install", source], advice, { env });
  });
  await bufGenerate(folder, [
    { local: join(tools, "protoc-gen-go"), out: ".", opt: ["module=heddle"] },
    { local: join(tools, "protoc-gen-go-grpc"), out: ".", opt: ["module=heddle"] },
  ]);
  await writeFile(
    join(folder, "go.mod"),
    `module heddle\n\ngo 1.24\n\nrequire (\n\tgoogle.golang.org/grpc v${grpc}\n\tgoogle.golang.org/protobuf v${protobuf}\n)\n`,
  );
  // Writes go.sum, without which no other module could build on this one.
  await runTool("go", ["mod", "tidy"], advice, { cwd: folder });
  return 'In your module: go mod edit -require heddle@v0.0.0 -replace heddle=<that folder>; then import "heddle/push/v1".';
}
