import { chmod, writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { cached } from "../../internal/engines/install/cached.ts";
import { runTool, ToolError } from "../../internal/engines/install/run-tool.ts";
import { bufGenerate } from "./tool.ts";

// Pinned: generated code and its runtime must be of one version. docs/examples/java/pom.xml names the same.
const protobuf = "4.33.1";
const grpc = "1.77.0";

/**
 * Java code, one class a file, packages heddle.push.v1, heddle.message.v1 and so on. Needs Maven and a JDK. Rejects
 * with ToolError.
 */
export async function javaStubs(folder: string): Promise<string> {
  const system = classifier();
  const protoc = `protoc-${protobuf}-${system}.exe`;
  const plugin = `protoc-gen-grpc-java-${grpc}-${system}.exe`;
  const tools = await cached(`java-stubs-${protobuf}-${grpc}`, plugin, async (target) => {
    await fetchTool(target, `com.google.protobuf:protoc:${protobuf}:exe:${system}`, protoc);
    await fetchTool(target, `io.grpc:protoc-gen-grpc-java:${grpc}:exe:${system}`, plugin);
  });
  await bufGenerate(folder, [
    { protoc_builtin: "java", protoc_path: join(tools, protoc), out: "." },
    // Without the annotation @Generated, whose package the JDK has no more since 11.
    { local: join(tools, plugin), out: ".", opt: ["@generated=omit"] },
  ]);
  return (
    `They need com.google.protobuf:protobuf-java:${protobuf}, io.grpc:grpc-protobuf and grpc-stub ${grpc},\n` +
    "and com.google.api.grpc:proto-google-common-protos; docs/examples/java/pom.xml has them all."
  );
}

/**
 * Fetches a program that Maven's registry keeps as an artifact. Maven wants a project to stand in, so one of three
 * words is written beside it.
 */
async function fetchTool(target: string, artifact: string, file: string): Promise<void> {
  const pom = "<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>";
  await writeFile(join(target, "pom.xml"), `${pom}<version>1</version></project>\n`);
  const copy = "dependency:copy";
  const args = ["-q", "-B", copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`];
  await runTool("mvn", args, "install Maven and a JDK, 11 or newer", { cwd: target });
  await chmod(join(target, file), 0o755);
}

/** How Maven's registry names this machine. Throws ToolError where there is no protoc for it. */
function classifier(): string {
  const systems: Partial<Record<NodeJS.Platform, string>> = {
    linux: "linux",
    darwin: "osx",
    win32: "windows",
  };
  const cpus: Record<string, string> = { x64: "x86_64", arm64: "aarch_64" };
  const [system, cpu] = [systems[platform()], cpus[arch()]];
  if (!system || !cpu) throw new ToolError(`no protoc for ${platform()} ${arch()}`, true, undefined);
  return `${system}-${cpu}`;
}
