/** Prints what an HBase takes to start and stop, and of memory: `node internal/engines/hbase/measure.ts [one|eight]`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineProcess } from "../engine.ts";
import { hbaseOnHdfs } from "./on-hdfs.ts";
import { standaloneHBase } from "./standalone.ts";

const print = (line: string) => process.stdout.write(`${line}\n`);
const engine = process.argv[2] === "one" ? standaloneHBase : hbaseOnHdfs;

/** Its share of the memory that processes have in common counted once in all, in MiB. */
async function memoryOf({ pid }: EngineProcess): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

/** In seconds. */
async function cpuOf({ pid }: EngineProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function timed<T>(what: string, step: Promise<T>): Promise<T> {
  const start = performance.now();
  const done = await step;
  print(`${what}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return done;
}

const folder = await mkdtemp(join(tmpdir(), "heddle-measure-"));
try {
  await engine.install(print);
  for (const what of ["first start", "second start, on the same folder"]) {
    const running = await timed(what, engine.start({ folder }));
    let [memory, cpu] = [0, 0];
    for (const one of running.processes.values()) {
      const [mib, seconds] = [await memoryOf(one), await cpuOf(one)];
      print(
        `  ${one.name.padEnd(16)} ${mib.toFixed(0).padStart(5)} MiB ${seconds.toFixed(1).padStart(5)} s of CPU`,
      );
      memory += mib;
      cpu += seconds;
    }
    print(
      `  ${"all".padEnd(16)} ${memory.toFixed(0).padStart(5)} MiB ${cpu.toFixed(1).padStart(5)} s of CPU`,
    );
    await timed("stop", running.stop());
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
