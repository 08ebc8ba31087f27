import { readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { SettingsError } from "../../base/env.ts";

/** How often files are read again, in ms. They are small; and secrets of Kubernetes change by links, which no watch tells. */
export const REREAD_MS = 2_000;

export interface WatchedFilesInit<T> {
  /** The setting that names each file, for errors; read in this order. */
  readonly paths: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** What the texts say. Throws for what cannot be used: files are written one after the other, so they may not fit yet. */
  readonly parse: (texts: readonly string[]) => T;
  /** Called with what is new. Not at first. */
  readonly changed?: (value: T) => void;
  /** Told once of each content that cannot be used: what was read before goes on to count. */
  readonly failed: (error: Error) => void;
}

/** Small files that are read again when they change. */
export class WatchedFiles<T> {
  readonly #init: WatchedFilesInit<T>;
  #texts: string;
  #value: T;
  #problem: string | undefined;
  #cancel: () => void;

  /** Reads them now. Throws SettingsError. */
  constructor(init: WatchedFilesInit<T>) {
    this.#init = init;
    const texts = readAll(init.paths);
    this.#texts = texts.join("\0");
    try {
      this.#value = init.parse(texts);
    } catch (error) {
      throw new SettingsError(`${namesOf(init.paths)}: cannot be used (${messageOf(error)}): mend the file`);
    }
    this.#cancel = this.#readLater();
  }

  get value(): T {
    return this.#value;
  }

  /** Reads them now, too. Never throws. */
  reread(): void {
    try {
      const texts = readAll(this.#init.paths);
      const joined = texts.join("\0");
      if (joined !== this.#texts) {
        this.#value = this.#init.parse(texts);
        this.#texts = joined;
        this.#init.changed?.(this.#value);
      }
      this.#problem = undefined;
    } catch (error) {
      const problem = `${namesOf(this.#init.paths)}: ${messageOf(error)}`;
      if (problem !== this.#problem) this.#init.failed(new Error(problem));
      this.#problem = problem;
    }
  }

  close(): void {
    this.#cancel();
  }

  #readLater(): () => void {
    return this.#init.clock.after(REREAD_MS, () => {
      this.reread();
      this.#cancel = this.#readLater();
    });
  }
}

function readAll(paths: Readonly<Record<string, string>>): string[] {
  return Object.entries(paths).map(([setting, path]) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new SettingsError(
        `${setting}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      );
    }
  });
}

function namesOf(paths: Readonly<Record<string, string>>): string {
  return Object.entries(paths)
    .map(([setting, path]) => `${setting} (${path})`)
    .join(", ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
