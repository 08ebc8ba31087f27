import { setTimeout as wait } from "node:timers/promises";
import type { Mesh } from "../../../../cmd/mesh/run/mesh.ts";
import { probe, sumOf } from "../../../../cmd/mesh/screen/probe.ts";
import type { Crowd } from "../people/crowd.ts";

/** After a program was killed or stood still its leases have run out, and clients have found others, in ms. */
const MENDED_MS = 15_000;

/** A real mesh with people on it, to which something happens. */
export class Ground {
  readonly mesh: Mesh;
  readonly crowd: Crowd;

  constructor(mesh: Mesh, crowd: Crowd) {
    this.mesh = mesh;
    this.crowd = crowd;
  }

  /** kill -9, and after so long the same program again. Resolves when it serves. */
  async kill(name: string, awayMs: number): Promise<void> {
    const process = this.mesh.process(name);
    this.crowd.trouble(`kill ${name}`, awayMs + MENDED_MS);
    process.kill("SIGKILL");
    await process.ended;
    await wait(awayMs);
    await this.mesh.restart(name);
  }

  /** SIGSTOP for so long. The input of clients of a push server waits meanwhile. */
  async pause(name: string, ms: number): Promise<void> {
    const process = this.mesh.process(name);
    const isPush = name.startsWith("push-");
    this.crowd.trouble(`pause ${name}`, ms + MENDED_MS, isPush ? name : undefined);
    process.kill("SIGSTOP");
    try {
      await wait(ms);
    } finally {
      process.kill("SIGCONT");
    }
  }

  /** Ends in good order and starts again: one step of a rolling restart. */
  async restart(name: string): Promise<void> {
    const process = this.mesh.process(name);
    this.crowd.trouble(`restart ${name}`, MENDED_MS);
    process.kill("SIGTERM");
    await process.ended;
    await this.mesh.restart(name);
  }

  /** The sum of a metric over the programs of a service that answer, or of one program; `label`: of samples with it. */
  async metric(of: string, metric: string, label = ""): Promise<number> {
    const plans = [...this.mesh.programs.plans.values()];
    const asked = plans.filter(({ name, service }) => service === of || name === of);
    const probes = await Promise.all(asked.map(({ adminPort }) => probe(adminPort)));
    return probes.reduce((sum, { metrics }) => sum + (sumOf(metrics, metric, label) ?? 0), 0);
  }
}
