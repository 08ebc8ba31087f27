import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { type LevelFiles, lookAtFiles } from "./level-files.ts";
import { tableProblem } from "./table-file.ts";

describe("The files of a LevelDB folder", function () {
  this.timeout("30s");
  let base: string;
  let sample: string;
  let path: string;

  // 9 MB: tables, with index blocks that are compressed, and a write-ahead log.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-files-"));
    sample = join(base, "sample");
    const db = new ClassicLevel<string, string>(sample);
    for (let nth = 0; nth < 90; nth++) {
      const operations = Array.from({ length: 50 }, (_, at) => {
        const value = `${nth}/${at} ${"lorem ipsum ".repeat(170)}`;
        return { type: "put" as const, key: `key ${String(nth * 50 + at).padStart(6, "0")}`, value };
      });
      await db.batch(operations, { sync: true });
    }
    await db.close();
  });
  beforeEach(async () => {
    path = join(base, "copy");
    await cp(sample, path, { recursive: true });
  });
  afterEach(() => rm(path, { recursive: true }));
  after(() => rm(base, { recursive: true }));

  const nameOf = async (pattern: RegExp) =>
    (await readdir(path)).sort().findLast((name) => pattern.test(name)) ?? "";
  const whyOf = ({ damages }: LevelFiles) => damages.map(({ file, why }) => `${file}: ${why}`).join("\n");
  const change = async (name: string, edit: (bytes: Buffer) => void) => {
    const bytes = await readFile(join(path, name));
    edit(bytes);
    await writeFile(join(path, name), bytes);
  };
  const flip = (name: string, part: number) =>
    change(name, (bytes) => {
      const at = Math.floor(bytes.length * part);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
    });

  it("are well as LevelDB left them, and so is a folder that is empty or not there", async () => {
    const files = await lookAtFiles(path);
    assert.deepEqual([files.damages, files.torn], [[], []]);
    assert.ok(files.tables.length >= 1 && files.logs.length >= 1);
    assert.deepEqual((await lookAtFiles(join(base, "nowhere"))).damages, []);
  });

  it("show a flipped bit in the log and in the MANIFEST", async () => {
    for (const pattern of [/\.log$/, /^MANIFEST/]) {
      for (const part of [0, 0.1, 0.5, 0.999]) {
        const name = await nameOf(pattern);
        await flip(name, part);
        assert.match(whyOf(await lookAtFiles(path)), new RegExp(name), `${name} at ${part}`);
        await flip(name, part);
      }
    }
  });

  it("show a log that was cut off, and only say so", async () => {
    const log = await nameOf(/\.log$/);
    await truncate(join(path, log), (await readFile(join(path, log))).length - 10);
    const files = await lookAtFiles(path);
    assert.equal(whyOf(files), "");
    assert.deepEqual(
      files.torn.map(({ file }) => file),
      [log],
    );
  });

  it("show a record that is gone though every checksum is right", async () => {
    const log = await nameOf(/\.log$/);
    // The first record with which a block begins goes together with everything before it.
    await change(log, (bytes) => bytes.copy(bytes, 0, 32 * 1024));
    assert.match(whyOf(await lookAtFiles(path)), /\.log: /);
  });

  it("show files that are missing or too short, CURRENT before LevelDB begins anew", async () => {
    for (const pattern of [/\.log$/, /\.ldb$/, /^MANIFEST/, /^CURRENT$/]) {
      const name = await nameOf(pattern);
      const bytes = await readFile(join(path, name));
      await unlink(join(path, name));
      assert.match(whyOf(await lookAtFiles(path)), /missing|that is there/, name);
      await writeFile(join(path, name), bytes);
    }
    const table = await nameOf(/\.ldb$/);
    await truncate(join(path, table), 1000);
    assert.match(whyOf(await lookAtFiles(path)), new RegExp(`${table}: it does not have`));
  });

  it("show a flipped bit anywhere in a table, compressed or not", async () => {
    const name = await nameOf(/\.ldb$/);
    const table = await readFile(join(path, name));
    assert.equal(tableProblem(table), undefined);
    for (let at = 0; at < table.length; at += 997) {
      table[at] = (table[at] ?? 0) ^ 16;
      assert.ok(tableProblem(table), `byte ${at}`);
      table[at] = (table[at] ?? 0) ^ 16;
    }
    // The last 8 say that it is a table; what stands before them are handles and padding.
    for (const at of [table.length - 1, table.length - 8, table.length - 48]) {
      table[at] = (table[at] ?? 0) ^ 1;
      assert.ok(tableProblem(table), `byte ${at}`);
      table[at] = (table[at] ?? 0) ^ 1;
    }
  });
});
