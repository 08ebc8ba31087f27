import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../internal/engines/install/cached.ts";
import { runTool } from "../../internal/engines/install/run-tool.ts";
import { ROOT } from "./tool.ts";

// The interpreter that generates also runs docs/examples in the tests, so both are of one version.
const grpcio = "1.85.1";
const protobuf = "7.36.2";

/**
 * The Python interpreter of a virtual environment with grpcio and grpcio-tools, made in the cache the first time
 * (7 s).
 */
export async function python(): Promise<string> {
  const interpreter = "bin/python";
  const folder = await cached(`python-grpcio-${grpcio}`, interpreter, async (target) => {
    const advice = "install Python 3.10 or newer with its venv module (Debian: python3-venv)";
    await runTool("python3", ["-m", "venv", target], advice);
    const pinned = [`grpcio==${grpcio}`, `grpcio-tools==${grpcio}`, `protobuf==${protobuf}`];
    // Through the interpreter: pip's own script keeps the path of the temporary folder.
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pinned];
    await runTool(join(target, interpreter), pip, advice);
  });
  return join(folder, interpreter);
}

/** Python code: put the folder on PYTHONPATH. Left out is `grpc/`: the package grpcio owns that name in Python. */
export async function pythonStubs(folder: string): Promise<string> {
  const protoRoot = join(ROOT, "proto");
  const all = await readdir(protoRoot, { recursive: true });
  const files = all.filter((path) => path.endsWith(".proto") && !path.startsWith("grpc/")).sort();
  const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
  const protoc = ["-m", "grpc_tools.protoc", `-I${protoRoot}`, ...outputs, ...files];
  await runTool(await python(), protoc, "install Python 3.10 or newer");
  return `Run programs with PYTHONPATH=<that folder>, and grpcio ${grpcio}, protobuf ${protobuf} installed.`;
}
