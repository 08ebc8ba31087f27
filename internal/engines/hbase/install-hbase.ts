import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../engine.ts";
import { cached } from "../install/cached.ts";
import { runTool } from "../install/run-tool.ts";
import { findJava, JAVA_ADVICE } from "./java.ts";

/** Brings Hadoop 3.4.2 (HDFS) and ZooKeeper 3.8.4 along. Later ones of 2.6 do not resolve everywhere. */
const HBASE_VERSION = "2.6.4-hadoop3";
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
/** What Maven loads into an empty cache, jars and descriptions: for the progress alone. */
const FILES = 1_300;

export const HBASE_TITLE = `HBase ${HBASE_VERSION}`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>heddle</groupId>
  <artifactId>hbase</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.hbase</groupId>
      <artifactId>hbase-server</artifactId>
      <version>${HBASE_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/**
 * The folder of the jars of HBase, HDFS and ZooKeeper (117 MB), by Maven from its registry the first time. Also finds out
 * whether the Java of this machine runs them. Rejects with ToolError or EngineError.
 */
export async function installHBase(progress: Progress): Promise<string> {
  await findJava();
  const waiting = () => progress(`waiting for another process that installs ${HBASE_TITLE}`);
  const folder = await cached(`hbase-${HBASE_VERSION}`, "lib", (target) => fill(target, progress), waiting);
  return join(folder, "lib");
}

async function fill(target: string, progress: Progress): Promise<void> {
  progress(`installing ${HBASE_TITLE}, this once`);
  const lib = join(target, "lib.part");
  await writeFile(join(target, "pom.xml"), POM);
  let count = 0;
  const onLine = (line: string) => {
    if (!/^(\[INFO\] )?Downloaded from /.test(line)) return;
    count += 1;
    if (count % 100 === 0) progress(`installing ${HBASE_TITLE}: ${count} of about ${FILES} files`);
  };
  const args = ["-B", COPY, `-DoutputDirectory=${lib}`, "-DincludeScope=runtime"];
  const advice = `install Maven 3 (Debian: apt-get install maven), and ${JAVA_ADVICE}`;
  await runTool("mvn", args, advice, { cwd: target, onLine });
  await rename(lib, join(target, "lib"));
}
