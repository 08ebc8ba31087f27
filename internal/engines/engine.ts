/** Tells a person what is going on, one line at a time: "installing HBase 2.6.4: 120 of 180 files". */
export type Progress = (line: string) => void;

/** A signal that tests send: the end at once, a good end, a pause, its end. */
export type Signal = "SIGKILL" | "SIGTERM" | "SIGINT" | "SIGSTOP" | "SIGCONT";

/** How a process ended. */
export interface ProcessEnd {
  /** Which process: "etcd", "region-server-1". */
  readonly name: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** False if it ended without being asked: a crash, or a fault that a test made. */
  readonly wasAsked: boolean;
}

/** One process of a running engine, as long as it runs. A restart makes another one of the same name. */
export interface EngineProcess {
  /** Unique in its engine: "etcd", "data-node-2". */
  readonly name: string;
  readonly pid: number;
  /** The file that has what it printed, this time and earlier times. */
  readonly log: string;
  readonly isRunning: boolean;
  /** Resolves when it has ended, for whichever reason. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** For faults: sends a signal and waits for nothing. Does nothing to one that has ended. */
  kill(signal: Signal): void;
}

/** What every engine is started with; each adds its own. */
export interface StartOptions {
  /** Where its data and logs are, made if missing. A second start on it finds what the first one wrote. */
  readonly folder: string;
  readonly progress?: Progress;
}

/** An engine that serves. All its addresses are on 127.0.0.1. */
export interface RunningEngine {
  /** By name what runs now, or ran last: in the order in which they were started. */
  readonly processes: ReadonlyMap<string, EngineProcess>;
  /** Called for each process that ended without being asked. Who supervises restarts it. */
  onEnded(listener: (end: ProcessEnd) => void): void;
  /** Starts one again that has ended, at its old address, and resolves when it serves. Does nothing to one that runs. */
  restart(name: string): Promise<void>;
  /** Ends all in good order, each within a deadline, after that by SIGKILL. Keeps the data. A second call does nothing. */
  stop(): Promise<void>;
}

/** A real server that Heddle stands on, as it is had on one machine without Docker. */
export interface Engine<Options extends StartOptions, Running extends RunningEngine> {
  /** As a person reads it, with the version: "HBase 2.6.4". */
  readonly title: string;
  /**
   * Makes it ready to start: once for each version, kept in the cache folder, where a second call finds it. Rejects with
   * EngineError that says what to install where a tool is missing.
   */
  install(progress: Progress): Promise<void>;
  /** Starts it, installed first if it is not yet, and resolves when it serves. Rejects with EngineError; nothing runs then. */
  start(options: Options): Promise<Running>;
}

/** An engine could not be had, or did not start. The message says what to do, or ends with what the engine printed last. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}
