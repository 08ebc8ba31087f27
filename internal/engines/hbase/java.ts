import { join } from "node:path";
import { EngineError } from "../engine.ts";
import { runTool } from "../install/run-tool.ts";

export const JAVA_ADVICE = "a JDK 17 (Debian: apt-get install openjdk-17-jdk-headless)";

/** HBase 2.6 needs 11, as its jars are used here; Hadoop 3.4 asks for what Java 24 has no more. */
const OLDEST = 11;
const NEWEST = 23;

const found = new Map<string, Promise<string>>();

/** The command of the Java that JAVA_HOME names, or else PATH. Rejects where it is missing or does not run HBase. */
export function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME;
  const command = home ? join(home, "bin/java") : "java";
  const known = found.get(command) ?? lookAt(command);
  found.set(command, known);
  known.catch(() => found.delete(command));
  return known;
}

async function lookAt(command: string): Promise<string> {
  const said = await runTool(command, ["--version"], `install ${JAVA_ADVICE}`);
  const version = Number(/^\S+ (\d+)/.exec(said)?.[1]);
  if (version >= OLDEST && version <= NEWEST) return command;
  throw new EngineError(
    `HBase runs on Java ${OLDEST} to ${NEWEST}, and ${command} is ${version}: ` +
      `install ${JAVA_ADVICE} and set JAVA_HOME to it`,
  );
}
