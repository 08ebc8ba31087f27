import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Screen } from "./screen.ts";

/** One character, or one escape sequence. */
const ESC = String.fromCharCode(27);
const TOKEN = new RegExp(`${ESC}\\[[0-9;]*[A-Za-z]|${ESC}[78]|[\\s\\S]`, "gu");

/** A terminal as far as Screen and readline use one. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly columns = 20;
  readonly rows = 10;
  readonly lines: string[] = [""];
  #row = 0;
  #column = 0;
  #saved: readonly [number, number] = [0, 0];

  override write(chunk: unknown): boolean {
    for (const [token] of String(chunk).matchAll(TOKEN)) this.#take(token);
    return true;
  }

  /** What a person sees. */
  get seen(): string[] {
    return this.lines.map((line) => line.trimEnd());
  }

  #take(token: string): void {
    const count = Number(/\d+/.exec(token)?.[0] ?? (token.endsWith("J") || token.endsWith("K") ? 0 : 1));
    if (token === "\x1b7") this.#saved = [this.#row, this.#column];
    else if (token === "\x1b8") [this.#row, this.#column] = this.#saved;
    else if (token === "\r") this.#column = 0;
    else if (token === "\n") this.#newLine();
    else if (!token.startsWith("\x1b")) this.#put(token);
    else if (token.endsWith("A")) this.#row = Math.max(0, this.#row - count);
    else if (token.endsWith("B")) this.#row += count;
    else if (token.endsWith("C")) this.#column += count;
    else if (token.endsWith("G")) this.#column = count - 1;
    else if (token.endsWith("K")) this.lines[this.#row] = "";
    else if (token.endsWith("J")) {
      this.lines[this.#row] = (this.lines[this.#row] ?? "").slice(0, this.#column);
      this.lines.length = this.#row + 1;
    }
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.lines[this.#row] ??= "";
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#newLine();
    const line = (this.lines[this.#row] ?? "").padEnd(this.#column);
    this.lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  setRawMode(): this {
    return this;
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("Screen", () => {
  let terminal: Terminal;
  let keyboard: Keyboard;
  let screen: Screen;
  let typed: string[];
  let keys: string[];

  beforeEach(() => {
    terminal = new Terminal();
    keyboard = new Keyboard();
    typed = [];
    keys = [];
    screen = new Screen(
      { input: keyboard, output: terminal },
      (line) => typed.push(line),
      () => {},
      (line) => keys.push(line),
    );
    screen.prompt("> ");
  });

  afterEach(() => screen.close());

  it("prints above what is being typed, which stays as it is", async () => {
    keyboard.write("half typ");
    await settled();
    screen.print("somebody: hi");
    assert.deepEqual(terminal.seen, ["somebody: hi", "> half typ"]);
    keyboard.write("ed\r");
    await settled();
    assert.deepEqual(typed, ["half typed"]);
    assert.deepEqual(terminal.seen, ["somebody: hi", ">"], "the typed line makes room for what it becomes");
  });

  it("changes a line in its place, above longer lines and below a long input", async () => {
    const first = screen.print("one ◌");
    screen.print("a line that takes two rows of these");
    keyboard.write("input that also takes two rows");
    await settled();
    const before = terminal.seen;
    first.replace("one ✓");
    assert.deepEqual(terminal.seen, before.with(0, "one ✓"));
    keyboard.write("!\r");
    await settled();
    assert.deepEqual(typed, ["input that also takes two rows!"]);
  });

  it("keeps a status between what is printed and the input, and takes it away", async () => {
    const line = screen.print("one ◌");
    screen.status("bob is online");
    keyboard.write("typed so far, two rows");
    await settled();
    const input = ["> typed so far, two", "rows"];
    assert.deepEqual(terminal.seen, ["one ◌", "bob is online", ...input]);
    screen.print("two");
    line.replace("one ✓");
    assert.deepEqual(terminal.seen, ["one ✓", "two", "bob is online", ...input]);
    screen.status("bob is typing…");
    assert.deepEqual(terminal.seen, ["one ✓", "two", "bob is typing…", ...input]);
    screen.status("");
    assert.deepEqual(terminal.seen, ["one ✓", "two", ...input]);
    screen.status("bob is online");
    keyboard.write("\r");
    await settled();
    screen.print("three");
    assert.deepEqual(terminal.seen, ["one ✓", "two", "three", "bob is online", ">"]);
  });

  it("tells what is being typed, key by key", async () => {
    keyboard.write("hi");
    await settled();
    assert.deepEqual(keys, ["h", "hi"]);
  });

  it("changes lines of several rows, and leaves alone what has left the terminal", () => {
    const long = screen.print("first row\nsecond ◌");
    screen.print("below");
    long.replace("first row\nsecond ✓");
    assert.deepEqual(terminal.seen.slice(0, 3), ["first row", "second ✓", "below"]);
    for (let at = 0; at < 12; at++) screen.print(`line ${at}`);
    const before = terminal.seen;
    long.replace("first row\nsecond ✗");
    assert.deepEqual(terminal.seen, before);
  });

  it("takes what is still printed after its input has ended", async () => {
    const line = screen.print("one ◌");
    screen.status("bob is online");
    screen.close();
    screen.print("two");
    line.replace("one ✓");
    screen.status("bob is typing…");
    screen.prompt("bob> ");
    keyboard.write("late\r");
    await settled();
    assert.deepEqual(terminal.seen, ["one ✓", "two", ""]);
    assert.deepEqual([typed, keys], [[], []]);
  });

  it("takes a line that comes with the one at which its input is closed", async () => {
    screen.close();
    keyboard = new Keyboard();
    screen = new Screen(
      { input: keyboard, output: terminal },
      (line) => {
        typed.push(line);
        screen.close();
      },
      () => {},
    );
    keyboard.write("/quit\rmore\r");
    await settled();
    assert.deepEqual(typed, ["/quit"]);
  });

  it("is plain lines where there is no terminal", () => {
    const output = new PassThrough();
    const plain = new Screen(
      { input: new PassThrough(), output },
      () => {},
      () => {},
    );
    plain.prompt("> ");
    plain.status("bob is online");
    plain.print("one").replace("two");
    assert.equal(output.read().toString(), "one\n");
    assert.equal(plain.columns, Number.POSITIVE_INFINITY);
    plain.close();
  });
});
