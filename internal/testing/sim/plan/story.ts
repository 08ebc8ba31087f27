import { deviceName, type Plan, type PlanStep } from "./plan.ts";

/** A step as a sentence. */
export function storyOf(plan: Plan, step: PlanStep): string {
  const said = () => {
    const device = "device" in step ? deviceName(plan, step.device) : "";
    if (step.what === "write") return `${device} writes "${step.text}" in thread ${step.thread}`;
    if (step.what === "change") return `${device}: ${step.change} u${step.peer}, thread ${step.thread}`;
    if ("peer" in step) return `${device} ${step.what}s u${step.peer}`;
    if (step.what === "sign out") return `${device} signs ${deviceName(plan, step.other)} out`;
    if ("thread" in step) return `${device} ${step.what}s in thread ${step.thread}`;
    if (!("forMs" in step)) return `${device} ${step.what}s`;
    const whose = "process" in step ? step.process : device;
    const other = "other" in step ? ` and ${step.other}` : "";
    const how = step.forMs > 0 ? `, for ${(step.forMs / 1_000).toFixed(1)} s` : "";
    return `${step.what}${whose && `: ${whose}${other}`}${how}`;
  };
  return `${(step.atMs / 1_000).toFixed(1)} s: ${said()}`;
}
