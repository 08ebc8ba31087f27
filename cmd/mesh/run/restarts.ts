import type { Clock } from "../../../internal/base/clock.ts";
import type { ProcessEnd, RunningEngine } from "../../../internal/engines/engine.ts";

/** What is known of a process that ended without being asked. */
export interface RestartRecord {
  /** Since the mesh was started. */
  readonly restarts: number;
  /** Its last end, in words: "SIGKILL", "exit code 1". */
  readonly why: string;
  readonly endedAtMs: number;
  /** True until it serves again. */
  readonly isAway: boolean;
  /** Why the last try to start it failed; undefined if none has. */
  readonly failed?: string;
}

/** The first wait before a restart; it doubles for each that did not last. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** One that ran for so long has recovered: its next end is a first one again. */
const LASTED_MS = 30_000;

/** Starts again what ended without being asked, after a wait that grows while it goes on ending. */
export class Restarts {
  readonly #clock: Clock;
  readonly #onChange: (line: string) => void;
  readonly #records = new Map<string, RestartRecord>();
  readonly #waits = new Map<string, { waitMs: number; servesSinceMs: number }>();
  readonly #cancels = new Map<string, () => void>();
  #isStopped = false;

  /** `onChange` gets a line for a log whenever something ended or serves again. */
  constructor(clock: Clock, onChange: (line: string) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  watch(engine: RunningEngine): void {
    engine.onEnded((end) => this.#ended(engine, end));
  }

  /** By the name of the process; undefined for one that never ended. */
  of(name: string): RestartRecord | undefined {
    return this.#records.get(name);
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels.values()) cancel();
  }

  #ended(engine: RunningEngine, { name, code, signal }: ProcessEnd): void {
    const before = this.#records.get(name);
    const why = signal ?? `exit code ${code}`;
    this.#records.set(name, {
      restarts: before?.restarts ?? 0,
      why,
      endedAtMs: this.#clock.nowMs(),
      isAway: true,
    });
    this.#onChange(`${name} ended: ${why}`);
    this.#later(engine, name);
  }

  #later(engine: RunningEngine, name: string): void {
    if (this.#isStopped || this.#cancels.has(name)) return;
    const waitMs = this.#nextWait(name);
    const cancel = this.#clock.after(waitMs, () => {
      this.#cancels.delete(name);
      this.#restart(engine, name);
    });
    this.#cancels.set(name, cancel);
  }

  #nextWait(name: string): number {
    const now = this.#clock.monotonicMs();
    const last = this.#waits.get(name);
    const hasLasted = last !== undefined && now - last.servesSinceMs > LASTED_MS;
    const waitMs = last && !hasLasted ? last.waitMs : FIRST_WAIT_MS;
    // "Serves since" is set when it does; until then it counts as one that did not last.
    this.#waits.set(name, { waitMs: Math.min(waitMs * 2, LONGEST_WAIT_MS), servesSinceMs: now });
    return waitMs;
  }

  #restart(engine: RunningEngine, name: string): void {
    engine.restart(name).then(
      () => {
        if (this.#isStopped) return;
        const record = this.#records.get(name);
        // It may have ended again before this was heard of.
        if (!record || !engine.processes.get(name)?.isRunning) return;
        const { failed: _, ...rest } = record;
        this.#records.set(name, { ...rest, restarts: rest.restarts + 1, isAway: false });
        this.#waits.set(name, {
          waitMs: this.#waits.get(name)?.waitMs ?? FIRST_WAIT_MS,
          servesSinceMs: this.#clock.monotonicMs(),
        });
        this.#onChange(`${name} serves again`);
      },
      (error: unknown) => {
        const record = this.#records.get(name);
        const failed = error instanceof Error ? error.message : String(error);
        if (record) this.#records.set(name, { ...record, failed });
        this.#onChange(`${name} did not start: ${failed}`);
        // One that still runs is not ready yet; what ended told so by itself, unless its start failed altogether.
        if (!engine.processes.get(name)?.isRunning) this.#later(engine, name);
      },
    );
  }
}
