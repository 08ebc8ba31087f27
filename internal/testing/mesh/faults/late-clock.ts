/**
 * Preloaded into a program: its clock is 20 s slow. Nothing that people see may rest on the clock of one process; leases
 * are kept by the monotonic one.
 */
const LATE_MS = 20_000;

const now = Date.now.bind(Date);
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [now() - LATE_MS] : args) as [number]));
  }

  static override now(): number {
    return now() - LATE_MS;
  }
} as DateConstructor;
