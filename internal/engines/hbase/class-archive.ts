import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../engine.ts";
import { cached } from "../install/cached.ts";
import { runTool } from "../install/run-tool.ts";
import { findJava } from "./java.ts";

/** Where a class path begins that the archive serves: the jars, in this order. */
export async function jarsOf(lib: string): Promise<string> {
  const jars = (await readdir(lib)).filter((name) => name.endsWith(".jar")).sort();
  return jars.map((name) => join(lib, name)).join(":");
}

/**
 * The classes that HBase's and HDFS's processes load, read and verified beforehand by this Java, in one file that all of
 * them map: a start takes 40 % less CPU, and the processes share that memory. Made once, from what `train` loads: it runs the
 * processes with the JVM flag that it is given for each name. The file is missing where this Java makes none; then
 * processes start without it.
 */
export async function classArchive(
  lib: string,
  progress: Progress,
  train: (folder: string, flagOf: (name: string) => string) => Promise<void>,
): Promise<string> {
  const java = await findJava();
  const version = await runTool(java, ["--version"], "install a JDK");
  const name = createHash("sha256").update(`${FORMAT}\n${lib}\n${version}`).digest("hex").slice(0, 16);
  const folder = await cached(`hbase-classes-${name}`, DONE, async (target) => {
    progress("reading the classes of HBase beforehand, this once: starting it to see which");
    try {
      await makeArchive(java, lib, target, train, progress);
      await writeFile(join(target, DONE), version);
    } catch (error) {
      const why = (error as Error).message;
      progress(`it will start without them: ${why}`);
      await writeFile(join(target, DONE), why);
    }
  });
  return join(folder, ARCHIVE);
}

/**
 * Packages of this version's jars with classes for Java 5 and older. Java 17 archives them, and dies of SIGSEGV when it
 * links one where the archive is mapped for reading only.
 */
const OLD_PACKAGES = [
  "com/google/inject/",
  "com/google/protobuf/",
  "com/jcraft/jsch/",
  "com/sun/xml/bind/",
  "javax/activation/",
  "javax/inject/",
  "net/jcip/",
  "org/aopalliance/",
  "org/apache/commons/daemon/",
  "org/apache/commons/logging/",
  "org/apache/commons/math3/",
  "org/apache/log4j/",
  "org/slf4j/",
];

function isOld(line: string): boolean {
  return OLD_PACKAGES.some((name) => line.startsWith(name));
}

/** A change of what is archived gets another. */
const FORMAT = 2;
const DONE = "done";
const ARCHIVE = "classes.jsa";

async function makeArchive(
  java: string,
  lib: string,
  target: string,
  train: (folder: string, flagOf: (name: string) => string) => Promise<void>,
  progress: Progress,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-hbase-classes-"));
  try {
    const lists = join(folder, "lists");
    await mkdir(lists);
    await train(folder, (name) => `-XX:DumpLoadedClassList=${join(lists, name)}`);
    const lines = new Set<string>();
    for (const list of await readdir(lists)) {
      for (const line of (await readFile(join(lists, list), "utf8")).split("\n")) {
        if (!line.startsWith("#") && !isOld(line)) lines.add(line);
      }
    }
    progress(`reading ${lines.size} classes of HBase beforehand: half a minute of CPU`);
    const all = join(folder, "classes");
    await writeFile(all, [...lines].join("\n"));
    const dump = ["-Xshare:dump", "-XX:+UseSerialGC", `-XX:SharedClassListFile=${all}`];
    const archive = `-XX:SharedArchiveFile=${join(target, ARCHIVE)}`;
    await runTool(java, [...dump, archive, "-cp", await jarsOf(lib)], "install a JDK");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
