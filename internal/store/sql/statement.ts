import { type Compilable, type CompiledQuery, type RawBuilder, sql } from "kysely";

/** The value of a parameter as SQL takes it. */
export type SqlValue = string | number | Uint8Array | null;

/** A place in a statement for a value that is known when it runs. */
class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Stands for the parameter `name` where a query is written. Typed as the value that will take its place. */
export function parameter<T extends SqlValue>(name: string): T {
  return new Parameter(name) as unknown as T;
}

/**
 * A query written in Kysely and compiled once, for any dialect: `P` names its parameters, `R` is a row of its result.
 * Compiling costs ten times what running a statement of this store does, so no call compiles.
 */
export class Statement<P extends Readonly<Record<string, SqlValue>>, R> {
  readonly sql: string;
  readonly #parameters: readonly unknown[];

  constructor(query: CompiledQuery<R>) {
    this.sql = query.sql;
    this.#parameters = query.parameters;
  }

  /** The values in the order of their places in `sql`. */
  bind(values: P): SqlValue[] {
    return this.#parameters.map((place) =>
      place instanceof Parameter ? (values[place.name] as SqlValue) : (place as SqlValue),
    );
  }
}

/** Compiles a query into a statement with the parameters `P`. */
export function statement<P extends Readonly<Record<string, SqlValue>>>() {
  return <R>(query: Compilable<R>): Statement<P, R> => new Statement<P, R>(query.compile());
}

/**
 * What time it is by the store's own clock, in Unix ms: a function that each dialect has. No statement takes the time of
 * the process that sends it, which may be off: a touch would be missing from the next Sync.
 */
export const NOW_MS = sql<number>`store_now_ms()`;

/**
 * The higher of a column and a value. `case`, because the function is `max` in SQLite and `greatest` in Postgres.
 */
export function higher(column: string, value: number | RawBuilder<number>) {
  return sql<number>`case when ${sql.ref(column)} < ${value} then ${value} else ${sql.ref(column)} end`;
}
