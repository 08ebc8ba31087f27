/** What a server has used, by its own /metrics. */
export interface ServerUsage {
  /** User plus system time of the whole process, all threads, in seconds. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Of the JavaScript heap, in use. */
  readonly heapBytes: number;
}

/** Reads the Prometheus text of the admin port. Throws if a figure is missing. */
export function parseUsage(text: string): ServerUsage {
  return {
    cpuSeconds: figure(text, "process_cpu_seconds_total"),
    rssBytes: figure(text, "process_resident_memory_bytes"),
    heapBytes: figure(text, "nodejs_heap_size_used_bytes"),
  };
}

/** The first sample of that name, without labels. */
function figure(text: string, name: string): number {
  const found = new RegExp(`^${name} (\\S+)`, "m").exec(text);
  if (!found) throw new Error(`the server's metrics have no ${name}`);
  return Number(found[1]);
}
