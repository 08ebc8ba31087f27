/**
 * Where problems are told that come by themselves, such as of what other runs left: on stderr, or on the screen while
 * there is one, for a line of stderr would stand in the middle of what the person types.
 */
export class ProblemLines {
  readonly #stderr: { write(text: string): unknown };
  #screen: ((text: string) => void) | undefined;

  constructor(stderr: { write(text: string): unknown } = process.stderr) {
    this.#stderr = stderr;
  }

  /** `text`: one line, which names what to do. */
  say(text: string): void {
    if (this.#screen) this.#screen(text);
    else this.#stderr.write(`chat: ${text}\n`);
  }

  /** From now on a screen shows them. The returned function gives them back to stderr; it is called before the screen ends. */
  showBy(screen: (text: string) => void): () => void {
    this.#screen = screen;
    return () => {
      this.#screen = undefined;
    };
  }
}
