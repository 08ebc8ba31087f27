import type { Store } from "../plan/counts.ts";
import type { Ports } from "../plan/ports.ts";
import type { RestartRecord } from "../run/restarts.ts";
import type { StepLine } from "../run/steps.ts";

/** What a command asks of the supervisor, one JSON line. */
export interface Asked {
  /** `follow`: tell of the start until it is through. `status`: once. `stop`: end all, and tell of it. */
  readonly do: "follow" | "status" | "stop";
}

/** What a person needs to chat through a mesh. */
export interface ReadyMesh {
  readonly store: Store;
  readonly edgeUrl: string;
  readonly ca: string;
  /** The file for a shell. */
  readonly env: string;
  /** Since when it serves, Unix ms. */
  readonly sinceMs: number;
}

/** One process, as mesh-status shows it. */
export interface ProcessStatus {
  readonly name: string;
  readonly pid: number;
  readonly isRunning: boolean;
  readonly log: string;
  readonly restarted?: RestartRecord;
}

/** What the supervisor itself knows. */
export interface SupervisorStatus {
  readonly pid: number;
  readonly ready: ReadyMesh | undefined;
  readonly ports: Ports;
  /** In the order of their start: engines, then programs. */
  readonly processes: readonly ProcessStatus[];
}

/** What the supervisor answers, JSON lines. The last line of `follow` is ready or failed, of `stop` it is stopped. */
export type Answer =
  | { readonly step: StepLine }
  | { readonly ready: ReadyMesh }
  | { readonly failed: string }
  | { readonly status: SupervisorStatus }
  | { readonly stopped: readonly string[] };

/** The exit code of a supervisor that found another one at work. */
export const HELD = 75;
