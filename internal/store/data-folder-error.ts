/**
 * The data folder cannot be used: another process holds it, its rights or its contents are wrong. Thrown while a
 * store opens, never later. The message is one line for the person who starts the program and says what to do.
 */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
  /** The file or folder in question. */
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.path = path;
  }

  /** Another process has it open. */
  static locked(path: string, cause: unknown): DataFolderError {
    return new DataFolderError(
      path,
      `${path} is in use by another process: stop that one, or set HEDDLE_DATA_DIR to another folder`,
      cause,
    );
  }

  /** It cannot be read, written or made. */
  static unusable(path: string, cause: unknown): DataFolderError {
    return new DataFolderError(
      path,
      `${path} cannot be opened (${firstLine(cause)}): give this user read and write rights to it, make room, ` +
        "or set HEDDLE_DATA_DIR to another folder",
      cause,
    );
  }

  /** A newer program wrote it. */
  static newer(path: string, program: string): DataFolderError {
    return new DataFolderError(
      path,
      `${path} was written by a newer Heddle (${program}): start that one, or put back a backup from before it`,
    );
  }

  /** A small file that a start makes anew holds something else. `effect`: what its removal means. */
  static damagedSmall(path: string, cause: unknown, effect: string): DataFolderError {
    return new DataFolderError(
      path,
      `${path} is damaged or not Heddle's (${firstLine(cause)}): bin/heddle admin verify says what else is; ` +
        `put it back from a backup, or remove it: ${effect}`,
      cause,
    );
  }

  /** What it holds is not, or no longer, what a store wrote. For small files: damagedSmall. */
  static damaged(path: string, cause: unknown): DataFolderError {
    return new DataFolderError(
      path,
      `${path} is damaged or not Heddle's (${firstLine(cause)}): bin/heddle admin verify says what else is; ` +
        "put a backup of the whole data folder in its place, or set HEDDLE_DATA_DIR to another folder; where there is no " +
        "backup, bin/heddle admin repair --accept-loss saves what can be read of damaged messages",
      cause,
    );
  }
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split("\n", 1)[0] ?? "";
}
