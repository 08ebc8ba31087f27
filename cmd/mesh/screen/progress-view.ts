import type { StepLine } from "../run/steps.ts";

/** What is written to: a terminal, or a file or pipe. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A pipe gets the news of a step that goes on no more often than this, in ms. */
const QUIET_MS = 5_000;
const NAME_WIDTH = 10;
const NARROWEST = 20;

/** Erases from the cursor to the end of the screen, having gone up so many lines. */
const up = (lines: number) => (lines === 0 ? "" : `\x1b[${lines}A\r\x1b[J`);

interface Step {
  readonly text: string;
  readonly begunMs: number;
  /** When it was last written, for a pipe. */
  readonly saidMs: number;
}

/**
 * Shows steps that run side by side. On a terminal those that are through stay as lines, and those that go on stand below
 * with their time, written anew at each `tick`; elsewhere a line is written when one begins, ends, and now and then.
 */
export class ProgressView {
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  readonly #going = new Map<string, Step>();
  #drawn = 0;

  constructor(screen: Screen, nowMs: () => number) {
    this.#screen = screen;
    this.#nowMs = nowMs;
  }

  show({ step, text, tookMs }: StepLine): void {
    const now = this.#nowMs();
    const before = this.#going.get(step);
    if (tookMs !== undefined) {
      this.#going.delete(step);
      this.#write(`  ${step.padEnd(NAME_WIDTH)} ${text}${tookMs > 0 ? `, ${seconds(tookMs)}` : ""}`);
      return;
    }
    const isDue = before === undefined || now - before.saidMs >= QUIET_MS;
    this.#going.set(step, { text, begunMs: before?.begunMs ?? now, saidMs: isDue ? now : before.saidMs });
    if (this.#screen.isTTY) this.#write();
    else if (isDue) this.#write(`  ${step.padEnd(NAME_WIDTH)} ${text} …`);
  }

  /** Writes the times anew. Does nothing elsewhere than on a terminal. */
  tick(): void {
    if (this.#screen.isTTY && this.#going.size > 0) this.#write();
  }

  /** Takes away what goes on: something else will be written. */
  clear(): void {
    this.#going.clear();
    if (this.#screen.isTTY) this.#write();
  }

  #write(line?: string): void {
    if (!this.#screen.isTTY) {
      if (line !== undefined) this.#screen.write(`${line}\n`);
      return;
    }
    const now = this.#nowMs();
    const going = [...this.#going].map(
      ([step, { text, begunMs }]) => `  ${step.padEnd(NAME_WIDTH)} ${text} … ${seconds(now - begunMs)}`,
    );
    const lines = [...(line === undefined ? [] : [this.#cut(line)]), ...going.map((one) => this.#cut(one))];
    this.#screen.write(`${up(this.#drawn)}${lines.map((one) => `${one}\n`).join("")}`);
    this.#drawn = going.length;
  }

  /** A line that wraps could not be taken away again. */
  #cut(line: string): string {
    const width = Math.max(NARROWEST, (this.#screen.columns ?? 80) - 1);
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
  }
}

function seconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
