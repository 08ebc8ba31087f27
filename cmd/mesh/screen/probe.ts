import { askAdmin } from "../run/admin-port.ts";

/** What a program says of itself on its admin port. */
export interface Probe {
  /** "ready", why it is not, or undefined where it does not answer. */
  readonly readiness: string | undefined;
  readonly metrics: Metrics;
}

/** Values of Prometheus's text form: by name and labels as they are written, `heddle_registry_members{service="push"}`. */
export type Metrics = ReadonlyMap<string, number>;

/** Asks a program. Never rejects. */
export async function probe(adminPort: number): Promise<Probe> {
  const [readiness, metrics] = await Promise.all([
    askAdmin(adminPort, "/readyz").catch(() => undefined),
    askAdmin(adminPort, "/metrics").catch(() => undefined),
  ]);
  return { readiness: readiness?.text, metrics: parseMetrics(metrics?.text ?? "") };
}

/** Reads Prometheus's text form; what is no sample is left out. */
export function parseMetrics(text: string): Metrics {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-z0-9_]+(?:\{.*\})?) ([-+\dA-Za-z.]+)(?: \d+)?$/.exec(line);
    if (match?.[1] !== undefined) found.set(match[1], Number(match[2]));
  }
  return found;
}

/** The sum of a metric over its labels, or of those with this one; undefined if it is not shown. */
export function sumOf(metrics: Metrics, name: string, label = ""): number | undefined {
  let sum: number | undefined;
  for (const [key, value] of metrics) {
    if (key === name || (key.startsWith(`${name}{`) && key.includes(label))) sum = (sum ?? 0) + value;
  }
  return sum;
}
