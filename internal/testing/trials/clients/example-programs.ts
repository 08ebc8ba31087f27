import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { goStubs } from "../../../../cmd/stubs/go.ts";
import { javaStubs } from "../../../../cmd/stubs/java.ts";
import { python } from "../../../../cmd/stubs/python.ts";
import { ROOT } from "../../../../cmd/stubs/tool.ts";
import { sourcesHash } from "../../../base/sources-hash.ts";
import { cached } from "../../../engines/install/cached.ts";
import { runTool } from "../../../engines/install/run-tool.ts";
import { pythonStubs } from "../programs/tools.ts";

/** How to start an example client of `docs/examples/`: program, first arguments, environment. */
export interface ExampleProgram {
  readonly command: string;
  /** What stands before the client's own arguments. */
  readonly args: readonly string[];
  /** Left out: as of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

const examples = join(ROOT, "docs/examples");

/** The Go client, built as its head says (a minute the first time: grpc-go is compiled). */
export async function goExample(): Promise<ExampleProgram> {
  const source = join(examples, "go");
  const folder = await cached(`go-example-${await versionOf(source)}`, "client", async (target) => {
    const stubs = join(target, "stubs");
    await mkdir(stubs);
    await goStubs(stubs);
    await cp(source, target, { recursive: true });
    const [cwd, advice] = [target, "install Go 1.26 or newer"];
    await runTool("go", ["mod", "edit", "-replace", "heddle=./stubs"], advice, { cwd });
    await runTool("go", ["build", "-o", "client", "."], advice, { cwd });
  });
  return { command: join(folder, "client"), args: [] };
}

/** The Java client, built as its head says (a minute the first time). */
export async function javaExample(): Promise<ExampleProgram> {
  const source = join(examples, "java");
  const witness = "target/classes/Client.class";
  const folder = await cached(`java-example-${await versionOf(source)}`, witness, async (target) => {
    const stubs = join(target, "stubs");
    await mkdir(stubs);
    await javaStubs(stubs);
    for (const file of ["pom.xml", "Client.java"]) await cp(join(source, file), join(target, file));
    const compile = ["-q", "-B", `-Dstubs=${stubs}`, "compile"];
    await runTool("mvn", compile, "install Maven and a JDK, 17 or newer", { cwd: target });
  });
  const places = ["target/classes", "target/libraries/*"].map((place) => join(folder, place));
  return { command: "java", args: ["-cp", places.join(":"), "Client"] };
}

/** The Python client. */
export async function pythonExample(): Promise<ExampleProgram> {
  const env = { ...process.env, PYTHONPATH: await pythonStubs() };
  return { command: await python(), args: [join(examples, "python_client.py")], env };
}

/** Names a state of the schema and of an example's sources. */
function versionOf(folder: string): Promise<string> {
  return sourcesHash(ROOT, [
    { folder: join(ROOT, "proto"), ending: ".proto" },
    { folder, ending: "" },
  ]);
}
