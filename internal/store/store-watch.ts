/** Told when a store stops serving and when it serves again, for logs and metrics. No call may throw. */
export interface StoreWatch {
  /** Once per trouble; the store is already mending itself. Again where one turns into another: stuck, then broken. */
  failed(error: unknown): void;
  /** It serves again: once, whatever the troubles were. */
  recovered(): void;
  /** Found while it opened, and no trouble: one line for the person who runs it. */
  noticed?(what: string): void;
  /** How far it has come with opening, where that takes more than a second: one line, about every second. */
  progress?(what: string): void;
}
