import { Counter, Gauge, type Metrics } from "../../base/metrics.ts";
import type { Program, Serving } from "./program.ts";

/** Declares what every program of the mesh counts of the registry and of its links. It is read when somebody asks. */
export function exposeMesh(metrics: Metrics, program: Program): void {
  const { neighbours } = program;
  const registers = [metrics];
  if (program.registration) {
    new Gauge({
      name: "heddle_registry_sure",
      help: "1 while the program is sure of its lease in the registry. 0: the registry does not answer, or the program stood still.",
      registers,
      collect() {
        this.set(Number(program.registration?.isSure() ?? false));
      },
    });
    new Counter({
      name: "heddle_registry_leases_lost_total",
      help: "Times that the lease was lost. Any: the registry was away for its length, or this program stood still.",
      registers,
      collect() {
        this.reset();
        this.inc(program.leasesLost);
      },
    });
  }
  new Gauge({
    name: "heddle_registry_members",
    help: "Programs of a service that this one knows of, by their state. Not equal in all programs: one does not hear of changes.",
    labelNames: ["service", "state"],
    registers,
    collect() {
      this.reset();
      for (const [service, mirror] of neighbours.mirrors) {
        for (const state of ["serving", "leaving"] as const) {
          const count = mirror.view().members.filter((member) => member.state === state).length;
          this.set({ service, state }, count);
        }
      }
    },
  });
  new Gauge({
    name: "heddle_registry_unloaded",
    help: "1 for a service of which this program knows nothing yet, or only what it knew before the registry went back.",
    labelNames: ["service"],
    registers,
    collect() {
      this.reset();
      for (const [service, mirror] of neighbours.mirrors)
        this.set({ service }, Number(mirror.view().state !== "known"));
    },
  });
  new Gauge({
    name: "heddle_link_held",
    help: "Links to other programs that are held for calls.",
    registers,
    collect() {
      this.set(neighbours.held);
    },
  });
}

/** What the program serves without, in a sentence; undefined while nothing is missing. */
export function missing(
  { registration, neighbours, service }: Program,
  serving?: Serving,
): string | undefined {
  const lacks: string[] = [];
  const own = serving?.degraded?.();
  if (own !== undefined) lacks.push(own);
  if (registration && !registration.isSure())
    lacks.push("the registry does not confirm this program's place");
  for (const [word, mirror] of neighbours.mirrors) {
    const { state, members } = mirror.view();
    if (state === "stale") lacks.push(`the registry went back: what is known of ${word} servers is old`);
    else if (word !== service && !members.some((member) => member.state === "serving"))
      lacks.push(`no ${word} server is registered`);
  }
  return lacks.length === 0 ? undefined : lacks.join("; ");
}
