import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Child } from "../child.ts";
import { jarsOf } from "./class-archive.ts";
import { findJava } from "./java.ts";

/** A server of Hadoop or HBase, in a JVM of its own. */
export interface JvmOptions {
  readonly name: string;
  /** The class that has its `main`. */
  readonly main: string;
  readonly args?: readonly string[];
  readonly heapMib: number;
  /** Does little: it gets by with the compiler that is quick and uses little memory. */
  readonly isBrief?: boolean;
  /** Java properties, which the configuration's values may name: `${region.port}`. */
  readonly properties?: Readonly<Record<string, string | number>>;
}

/** What the JVMs of one engine share. */
export interface JvmPlace {
  /** The engine's folder: `conf`, `logs`, `tmp`. */
  readonly folder: string;
  /** The folder of the jars. */
  readonly lib: string;
  /** What a process of that name is told about classes that were read beforehand (`class-archive.ts`). */
  readonly classFlag: (name: string) => string;
}

/**
 * Few threads and little memory beside the heap, since many JVMs share the machine: the serial collector needs neither, and
 * without its file of counters nothing lies in /tmp.
 */
const SMALL = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xss512k", "-XX:+ExitOnOutOfMemoryError"];

/** The archive of classes is mapped where it was made for: moved, each process would have 100 MiB of it for its own. */
const SHARE = ["+IgnoreUnrecognizedVMOptions", "+UnlockDiagnosticVMOptions", "ArchiveRelocationMode=0"];

/** Without it HBase prints a stack at each start, and compares bytes one by one. */
const OPEN = ["--add-opens", "java.base/java.nio=ALL-UNNAMED"];

export async function startJvm(place: JvmPlace, options: JvmOptions): Promise<Child> {
  const tmp = join(place.folder, "tmp");
  const logs = join(place.folder, "logs");
  for (const folder of [tmp, logs]) await mkdir(folder, { recursive: true });
  const conf = join(place.folder, "conf");
  const properties = {
    "log4j.configuration": `file:${join(conf, "log4j.properties")}`,
    "java.net.preferIPv4Stack": "true",
    "java.io.tmpdir": tmp,
    ...options.properties,
  };
  return await Child.start({
    name: options.name,
    command: await findJava(),
    args: [
      `-Xmx${options.heapMib}m`,
      ...SMALL,
      ...SHARE.map((option) => `-XX:${option}`),
      ...OPEN,
      ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
      place.classFlag(options.name),
      ...(options.isBrief ? ["-XX:TieredStopAtLevel=1"] : []),
      "-cp",
      `${await jarsOf(place.lib)}:${conf}`, // The folder last, or the archive of classes would not be used.
      options.main,
      ...(options.args ?? []),
    ],
    cwd: place.folder,
    log: join(logs, `${options.name}.log`),
  });
}
