import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HeddleProcess, ROOT } from "./heddle-process.ts";

/** One line of --json output. */
export interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** `bin/chat --json` with an open input. */
export class JsonChat {
  /** What it has printed so far. */
  readonly lines: Line[] = [];
  readonly child: ChildProcessWithoutNullStreams;
  #wake: () => void = () => {};

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
    child.on("exit", () => this.#wake());
  }

  /** Writes a line of its input. */
  say(request: object): void {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
  }

  /** The first line, of those so far or to come, that is as asked. */
  async until(isIt: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(isIt);
      if (found) return found;
      assert.equal(this.child.exitCode, null, "it has ended");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends it, if it runs. Resolves to its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exit = once(this.child, "exit");
    this.child.kill("SIGTERM");
    return (await exit)[0] as number | null;
  }
}

/** Runs of `bin/chat` against a Heddle of their own, for the tests of one suite. */
export class ChatPrograms {
  /** Where data and the state of users are. */
  folder = "";
  #heddle: HeddleProcess | undefined;
  readonly #running: JsonChat[] = [];
  #names = 0;

  /** Starts Heddle before the suite in which this is made, ends runs after each test, and all after the last. */
  constructor() {
    before(async () => {
      this.folder = await mkdtemp(join(tmpdir(), "heddle-chat-"));
      this.#heddle = await HeddleProcess.start(join(this.folder, "data"));
    });
    afterEach(async () => {
      for (const chat of this.#running.splice(0)) await chat.stop();
    });
    after(async () => {
      await this.#heddle?.stop();
      await rm(this.folder, { recursive: true, force: true });
    });
  }

  get grpcUrl(): string {
    return this.#heddle?.addresses.grpcUrl ?? "";
  }

  get webUrl(): string {
    return this.#heddle?.addresses.webUrl ?? "";
  }

  /** Does something while nothing answers at Heddle's addresses; it serves there again afterwards. */
  async whileAway<T>(work: () => Promise<T>): Promise<T> {
    const heddle = this.#heddle;
    await heddle?.stop("SIGTERM");
    try {
      return await work();
    } finally {
      const again = heddle && { again: heddle.addresses };
      this.#heddle = await HeddleProcess.start(join(this.folder, "data"), again);
    }
  }

  /** A user that no other test has. */
  newName(base: string): string {
    this.#names += 1;
    return `${base}-${this.#names}`;
  }

  /** Runs it to its end, with this input. */
  async run(args: readonly string[], input = "") {
    const child = this.#start(args);
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err };
  }

  /** `as <user> listen --json`, until the test ends. */
  listen(user: string, options: readonly string[] = []): JsonChat {
    const json = new JsonChat(this.#start(["as", user, "listen", "--json", ...options]));
    this.#running.push(json);
    return json;
  }

  #start(args: readonly string[]): ChildProcessWithoutNullStreams {
    const env = {
      ...process.env,
      XDG_STATE_HOME: join(this.folder, "state"),
      HEDDLE_GRPC_URL: this.#heddle?.addresses.grpcUrl,
      HEDDLE_WEB_URL: this.webUrl,
      NO_COLOR: "1",
    };
    return spawn(join(ROOT, "bin/chat"), args, { env });
  }
}
