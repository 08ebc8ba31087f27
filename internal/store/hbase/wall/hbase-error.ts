/**
 * What an error of HBase asks for:
 * - `relocate`: the region is not there, or nobody is. Nothing was done: look it up again, and ask again.
 * - `retry`: the server has no room or is not ready. Nothing was done: ask again a little later.
 * - `unknown`: no answer, or one that says nothing of it. It may have been done, or may yet be: look it up again; a write
 *   that must not be done twice is not repeated.
 * - `refused`: asking again changes nothing.
 */
export type Reaction = "relocate" | "retry" | "unknown" | "refused";

/** By the last part of the exception's class. A name that is in none of them is `unknown`, or `refused` if the server says so. */
const RELOCATE =
  /^(NotServingRegion|RegionMoved|RegionOpening|WrongRegion|RegionServerStopped|RegionServerAborted|ServerNotRunningYet|MasterNotRunning|MasterStopped)(Exception)?$/;
const RETRY =
  /^(RegionTooBusy|CallQueueTooBig|CallDropped|NotAllMetaRegionsOnline|PleaseHold|RegionInRecovery|RpcThrottling|RegionInTransition|CallerDisconnected)(Exception)?$/;

/** The one error that crosses the wall. Its message is one line, without secrets and without what was written. */
export class HbaseError extends Error {
  override readonly name = "HbaseError";
  readonly reaction: Reaction;
  /** The Java class without its package, or a word of our own: "closed", "late". */
  readonly kind: string;

  constructor(reaction: Reaction, kind: string, text: string, cause?: unknown) {
    super(`${kind}: ${text.split("\n", 1)[0]}`, cause === undefined ? undefined : { cause });
    this.reaction = reaction;
    this.kind = kind;
  }

  /** What a server answered: the full name of a Java class, its text or stack, and whether it says not to ask again. */
  static answered(className: string, text: string, isFinal: boolean): HbaseError {
    const kind = className.slice(className.lastIndexOf(".") + 1);
    const told = text.startsWith(`${className}: `) ? text.slice(className.length + 2) : text;
    return new HbaseError(reactionTo(kind, isFinal), kind, told);
  }

  /** A connection that could not be made: nothing was sent. */
  static unreachable(address: string, cause: unknown): HbaseError {
    return new HbaseError("relocate", "unreachable", `${address} (${textOf(cause)})`, cause);
  }

  /** A connection that ended while it owed answers. */
  static closed(address: string, cause?: unknown): HbaseError {
    return new HbaseError("unknown", "closed", `${address} (${textOf(cause ?? "connection ended")})`, cause);
  }

  /** No answer in time. */
  static late(what: string, ms: number): HbaseError {
    return new HbaseError("unknown", "late", `${what}: no answer within ${Math.round(ms)} ms`);
  }

  /** Whatever was thrown, a string included, as one of these. */
  static from(error: unknown): HbaseError {
    if (error instanceof HbaseError) return error;
    return new HbaseError("unknown", "fault", textOf(error), error);
  }
}

function reactionTo(kind: string, isFinal: boolean): Reaction {
  if (RELOCATE.test(kind)) return "relocate";
  if (RETRY.test(kind)) return "retry";
  return isFinal ? "refused" : "unknown";
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
