import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../base/clock.ts";
import { encodeHead } from "../../../base/head.ts";
import { DataFolderError } from "../../../store/data-folder-error.ts";
import { LevelMessageStore } from "../../../store/level/level-message-store.ts";

const THREADS = 8;
const ENTRIES = 60;
/** Bits flipped in a table: over an eighth of the bytes of blocks, and each byte of the footer. */
const FLIPS = 1_500;

describe("A flipped bit in a table of the message log", function () {
  this.timeout("120s");
  let base: string;

  // Two starts: what the first wrote is in a table, what the second wrote in the write-ahead log.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-table-flips-"));
    const path = join(base, "messages");
    for (const from of [1, ENTRIES / 2 + 1]) {
      const store = await LevelMessageStore.open({ path, clock: systemClock });
      for (let thread = 1; thread <= THREADS; thread++) await append(store, thread, from);
      if (from > 1) await cp(path, join(base, "killed"), { recursive: true });
      await store.close();
    }
    await cp(path, join(base, "closed"), { recursive: true });
  });
  after(() => rm(base, { recursive: true }));

  async function append(store: LevelMessageStore, thread: number, from: number): Promise<void> {
    const row = { threadId: new Uint8Array(16).fill(thread), bucket: 0 };
    let { head } = await store.get(row, { head: true });
    for (let seq = from; seq < from + ENTRIES / 2; seq++) {
      const next = encodeHead({ seq, ordinal: seq, membersSeq: 0, epoch: 0 });
      const value = Buffer.from(`${thread}/${seq} ${"of some length ".repeat(1 + (seq % 10))}`);
      assert.ok(await store.checkAndPut(row, head, next, [{ seq, tag: new Uint8Array(8), value }]));
      head = next;
    }
  }

  for (const shape of ["killed", "closed"]) {
    it(`is refused before LevelDB opens a folder that was ${shape}, and never ends the process`, async () => {
      const lines = await flip(join(base, shape), [FLIPS]);
      assert.equal(lines.at(-1), "tried all", `the process ended at ${lines.at(-1)}`);
      assert.deepEqual(
        lines.filter((line) => line.startsWith("opened")),
        [],
      );
    });
  }

  it("in a large folder that was closed may end one process, and then is refused by name", async () => {
    const lines = await flip(join(base, "closed"), [FLIPS, 0]);
    assert.notEqual(lines.at(-1), "tried all", "or the next start would have nothing to show");
    // What that process left: it was not closed in order, so all blocks are looked at, however many there are.
    const open = LevelMessageStore.open({
      path: join(base, "closed.flipped"),
      clock: systemClock,
      wholeLookBytes: 0,
    });
    await assert.rejects(open, (error) => error instanceof DataFolderError && error.path.endsWith(".ldb"));
  });

  it("in the index of a large folder that was closed is refused before LevelDB opens it", async () => {
    const folder = join(base, "large");
    await cp(join(base, "closed"), folder, { recursive: true });
    const table = join(folder, await tableOf(folder));
    const bytes = await readFile(table);
    for (let end = 1; end < 300; end++) {
      const flipped = Buffer.from(bytes);
      const at = bytes.length - end;
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (end % 8));
      await writeFile(table, flipped);
      const open = LevelMessageStore.open({ path: folder, clock: systemClock, wholeLookBytes: 0 });
      await assert.rejects(open, DataFolderError, `byte ${at}`);
    }
  });

  async function tableOf(folder: string): Promise<string> {
    return (await readdir(folder)).sort().find((one) => one.endsWith(".ldb")) ?? assert.fail("no table");
  }

  /** What the child printed: `options` are how many positions, up to how many bytes all is looked at in any case. */
  async function flip(folder: string, options: readonly number[]): Promise<readonly string[]> {
    const file = join(import.meta.dirname, "flip-child.ts");
    const words = [file, folder, await tableOf(folder), ...options.map(String)];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    const printed: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => printed.push(bytes));
    await once(child, "close");
    return Buffer.concat(printed).toString().trim().split("\n");
  }
});
