import type { EngineProcess, RunningEngine } from "../engine.ts";

/** An HBase that serves. */
export interface RunningHBase extends RunningEngine {
  /** Where its ZooKeeper is, by which clients find all else: "127.0.0.1:2181". */
  readonly quorum: string;
  /** One of its processes, for faults. Throws where none is called so. */
  process(name: string): EngineProcess;
}
