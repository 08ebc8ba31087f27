import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { rowsOf } from "../text/text-width.ts";

/** A line that was printed and may change in its place. */
export interface ScreenLine {
  /** Shows another text in its place, if it is still in sight; it should take as many rows. */
  replace(text: string): void;
}

/** Where keys come from and lines go to: a terminal, a pipe, or the streams of a test. */
export interface ScreenStreams {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
}

/** Lines remembered for a change in place: more than a terminal shows. */
const REMEMBERED = 200;

/**
 * Plain lines above one line of input. On a terminal what is printed goes above the input, which stays as typed, and a
 * line may change in its place; nothing is ever cleared and drawn anew, so nothing flickers. Without a terminal it is
 * lines in, lines out.
 */
export class Screen {
  readonly #output: ScreenStreams["output"];
  readonly #readline: Interface;
  /** Whether lines can change in their place. */
  readonly isTerminal: boolean;
  #shown: { text: string }[] = [];
  #prompt = "";
  #status = "";
  /** The input has ended: the readline takes no calls any more. What is still printed is plain lines. */
  #isClosed = false;

  /** `onTyped`: a key was pressed, and the line is this now; only on a terminal, elsewhere lines come whole. */
  constructor(
    { input, output }: ScreenStreams,
    onLine: (line: string) => void,
    onClose: () => void,
    onTyped: (line: string) => void = () => {},
  ) {
    this.#output = output;
    this.isTerminal = isTerminal({ input, output });
    this.#readline = createInterface({ input, output, terminal: this.isTerminal, prompt: "" });
    this.#readline.on("line", (line) => {
      // Lines that came with the one at which the input was closed.
      if (this.#isClosed) return;
      this.#forgetEcho(line);
      onLine(line);
      if (!this.#isClosed) this.#readline.prompt();
    });
    const keyed = () => onTyped(this.#readline.line);
    this.#readline.on("close", () => {
      if (this.isTerminal) this.#clearBelow();
      this.#isClosed = true;
      input.off("keypress", keyed);
      onClose();
    });
    this.#readline.on("SIGINT", () => this.#readline.close());
    if (this.isTerminal) input.on("keypress", keyed);
  }

  /** Sets what stands before the input. */
  prompt(text: string): void {
    this.#prompt = text;
    if (!this.isTerminal || this.#isClosed) return;
    this.#readline.setPrompt(text);
    this.#readline.prompt(true);
  }

  /** Sets the line that stays between what was printed and the input; "" for none. Nothing without a terminal. */
  status(text: string): void {
    if (!this.isTerminal || this.#isClosed || text === this.#status) return;
    this.#clearBelow();
    this.#status = text;
    this.#drawBelow();
  }

  /** Prints a text of one or more lines above the input. */
  print(text: string): ScreenLine {
    const line = { text };
    if (this.isTerminal) {
      this.#clearBelow();
      this.#output.write(`${text}\n`);
      this.#drawBelow();
      this.#shown.push(line);
      if (this.#shown.length > REMEMBERED) this.#shown.shift();
    } else this.#output.write(`${text}\n`);
    return { replace: (fresh) => this.#replace(line, fresh) };
  }

  /** How wide lines may be. */
  get columns(): number {
    return this.isTerminal ? this.#columns() : Number.POSITIVE_INFINITY;
  }

  /** Reads no more of the input, but for what has come already, until `resume`. */
  pause(): void {
    if (!this.#isClosed) this.#readline.pause();
  }

  resume(): void {
    if (!this.#isClosed) this.#readline.resume();
  }

  /** Ends the input; once is enough. What is printed from then on is plain lines. */
  close(): void {
    this.#readline.close();
  }

  #replace(line: { text: string }, fresh: string): void {
    const at = this.#shown.indexOf(line);
    if (!this.isTerminal || at < 0 || line.text === fresh) return;
    const rowsFrom = (index: number) =>
      this.#shown.slice(index).reduce((sum, each) => sum + this.#rows(each.text), 0);
    const distance = rowsFrom(at) + this.#rowsAbove();
    const isSame = this.#rows(fresh) === this.#rows(line.text);
    line.text = fresh;
    if (!isSame || distance >= (this.#output.rows ?? 24)) return;
    const lines = fresh.split("\n").map((each) => `\x1b[2K${each}`);
    // Save the cursor, go up, write, come back.
    this.#output.write(`\x1b7${up(distance)}\r${lines.join("\n")}\x1b8`);
  }

  /** The typed line, which the terminal has shown, is taken away: what it becomes is printed in its place. */
  #forgetEcho(line: string): void {
    if (!this.isTerminal) return;
    const rows = rowsOf(`${this.#prompt}${line}`, this.#columns());
    this.#output.write(`${up(rows)}\r\x1b[J`);
  }

  /** Up to where status and input begin, and clear from there. */
  #clearBelow(): void {
    this.#output.write(`${up(this.#rowsAbove())}\r\x1b[J`);
  }

  #drawBelow(): void {
    if (this.#isClosed) return;
    if (this.#status !== "") this.#output.write(`${this.#status}\n`);
    // readline would go up by the rows that the input had when it was last drawn; the cursor is at its beginning.
    Object.assign(this.#readline, { prevRows: 0 });
    this.#readline.prompt(true);
  }

  /** From the first row of status and input to the cursor. */
  #rowsAbove(): number {
    if (this.#isClosed) return 0;
    const statusRows = this.#status === "" ? 0 : this.#rows(this.#status);
    return statusRows + this.#readline.getCursorPos().rows;
  }

  #rows(text: string): number {
    return text.split("\n").reduce((sum, line) => sum + rowsOf(line, this.#columns()), 0);
  }

  #columns(): number {
    return this.#output.columns ?? 80;
  }
}

function up(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

/** Whether a person is there at both ends. */
export function isTerminal({ input, output }: ScreenStreams): boolean {
  return output.isTTY === true && input.isTTY === true;
}
