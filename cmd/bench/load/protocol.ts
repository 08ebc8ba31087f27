/** A call of a load's method. */
export interface Ask {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What it returned, or why it failed. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: string;
}

/** What every load answers beside its own methods: its process's user plus system time, in seconds. */
export const CPU_SECONDS = "cpuSeconds";
