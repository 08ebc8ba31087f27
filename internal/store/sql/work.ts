import type { SqlValue, Statement } from "./statement.ts";

type Values = Readonly<Record<string, SqlValue>>;

/** A statement of a work: all its rows, the first one, or how many rows it changed. */
export interface RunStep {
  readonly kind: "rows" | "row" | "count";
  readonly statement: Statement<Values, unknown>;
  readonly values: Values;
}

/**
 * Keeps other transactions from changing what hangs on these owners, or on this group, until this one ends. A
 * transaction that first reads, then writes what follows from it, takes the lock before: other programs write to the same
 * database.
 */
export type LockStep =
  | { readonly kind: "lock-owners"; readonly ownerIds: readonly string[] }
  | { readonly kind: "lock-group"; readonly threadId: Uint8Array };

export type Step = RunStep | LockStep;

/**
 * The work of a read or of a transaction: it yields its statements one after the other, and gets their results. So the
 * same work runs in one synchronous call on SQLite, and over the wire on Postgres.
 */
export type Work<T> = Generator<Step, T, unknown>;

/** All rows. */
export function* all<P extends Values, R>(statement: Statement<P, R>, values: P): Work<R[]> {
  return (yield step("rows", statement, values)) as R[];
}

/** The first row. */
export function* get<P extends Values, R>(statement: Statement<P, R>, values: P): Work<R | undefined> {
  return (yield step("row", statement, values)) as R | undefined;
}

/** How many rows changed. */
export function* run<P extends Values>(statement: Statement<P, unknown>, values: P): Work<number> {
  return (yield step("count", statement, values)) as number;
}

/** Locks owners, in ascending order, as every transaction does: two of them never wait for each other. Once in a work. */
export function* lockOwners(ownerIds: readonly string[]): Work<void> {
  yield { kind: "lock-owners", ownerIds: [...new Set(ownerIds)].sort() };
}

/** Locks a group. Before its members' rows, as owners. */
export function* lockGroup(threadId: Uint8Array): Work<void> {
  yield { kind: "lock-group", threadId };
}

function step<P extends Values>(kind: RunStep["kind"], statement: Statement<P, unknown>, values: P): RunStep {
  return { kind, statement: statement as unknown as Statement<Values, unknown>, values };
}
