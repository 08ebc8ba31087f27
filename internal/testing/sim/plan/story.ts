import type { MeshFault } from "./mesh-faults.ts";
import { type DeviceFault, deviceName, type Plan, type PlanStep, type UserStep } from "./plan.ts";

/** A plan as a story: who there is, and then a sentence for each step. */
export function storyOf(plan: Plan): string[] {
  const steps = plan.steps.map((step) => `${inSeconds(step.atMs)}: ${sentenceOf(plan, step)}`);
  const calms = plan.calms.map(inSeconds).join(", ");
  return [`there are ${plan.processes.join(", ")}; seed ${plan.seed}`, ...steps, `calm at ${calms}`];
}

/** A step as a sentence. */
export function sentenceOf(plan: Plan, step: PlanStep): string {
  if ("device" in step) {
    const device = deviceName(plan, step.device);
    return "forMs" in step ? ofDevice(step, device) : ofUser(plan, step, device);
  }
  return ofMesh(step);
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function ofUser(plan: Plan, step: UserStep, device: string): string {
  if (step.what === "change") {
    if (step.change === "leave group") return `${device} leaves group ${step.thread}`;
    return `${device} ${step.change}s u${step.peer}, group ${step.thread}`;
  }
  if ("peer" in step) return `${device} ${step.what}s u${step.peer}`;
  if (step.what === "sign out") return `${device} signs ${deviceName(plan, step.other)} out`;
  if (!("thread" in step)) return `${device} ${step.what}s`;
  const members = plan.threads[step.thread] ?? [];
  const peer = members.find((user) => user !== plan.devices[step.device]);
  const where = members.length === 2 ? `u${peer}` : `group ${step.thread}`;
  if (step.what === "write") return `${device} writes "${step.text}" to ${where}`;
  return step.what === "read" ? `${device} reads all of ${where}` : `${device} types to ${where}`;
}

function ofDevice({ what, forMs }: DeviceFault, device: string): string {
  const long = inSeconds(forMs);
  if (what === "crash device") return `${device} crashes, and starts again after ${long}`;
  if (what === "sign in") return `${device} is new, and signs in`;
  if (what === "offline") return `${device} is offline for ${long}`;
  if (what === "cut") return `the connection of ${device} breaks`;
  return `what ${device} and its servers say to one another is lost for ${long}, and neither is told`;
}

function ofMesh(fault: MeshFault): string {
  const long = inSeconds(fault.forMs);
  if ("other" in fault) {
    const both = `${fault.process} and ${fault.other}`;
    if (fault.what === "links cut") return `the links of ${both} break`;
    if (fault.what === "links slow") return `the links of ${both} are slow for ${long}`;
    if (fault.what === "apart") return `${both} do not reach one another for ${long}`;
    return `what ${both} say to one another is lost for ${long}, and neither is told`;
  }
  if ("process" in fault) return ofProcess(fault, long);
  if (fault.what === "days asleep") return `all machines and devices stand still for ${long}`;
  if (fault.what === "days off")
    return `the servers are switched off for ${long}, and the devices stand still`;
  if (fault.what === "registry away") return `the registry is away for ${long}`;
  if (fault.what === "registry restored") return `after ${long} the registry goes back to what it is now`;
  const [how, store] = fault.what.startsWith("slow") ? ["slow", fault.what.slice(5)] : ["away", fault.what];
  return `the ${store.split(" ")[0]} are ${how} for ${long}`;
}

function ofProcess({ what, process }: Extract<MeshFault, { process: string }>, long: string): string {
  switch (what) {
    case "crash":
      return `${process} crashes, and starts again after ${long}`;
    case "vanish":
      return `the machine of ${process} is gone for ${long}, and nobody is told`;
    case "pause":
      return `${process} stands still for ${long}`;
    case "leave":
      return `${process} leaves, and starts again ${long} after it has gone`;
    case "visit":
      return `${process} joins, and leaves after ${long}`;
    case "lease lost":
      return `${process} loses its lease`;
    case "rolling restart":
      return `all of ${process} leave one after another, each for ${long}`;
    case "watch cut":
      return `the watches of ${process} end`;
    case "registry unreached":
      return `${process} does not reach the registry for ${long}`;
    default:
      return `${process} hears ${long} late of what changes in the registry, for as long`;
  }
}
