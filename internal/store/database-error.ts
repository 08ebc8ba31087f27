/**
 * A database cannot be used: it is away, its settings or rights are wrong, or it is not this deployment's. Thrown at a start,
 * never later. The message is one line for the person who starts the program and says what to do; it has no secret.
 */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** It may be usable a little later, with nothing changed. */
  readonly isAway: boolean;

  constructor(message: string, init: { readonly isAway?: boolean; readonly cause?: unknown } = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.isAway = init.isAway ?? false;
  }
}
