import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FileStorage } from "./file-storage.ts";
import { storageSuite } from "./storage.suite.ts";

const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-storage-"));
  folders.push(folder);
  return folder;
}

after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

let shared: string | undefined;
storageSuite("FileStorage", async () => {
  shared ??= await newFolder();
  return await FileStorage.open(shared);
});

describe("FileStorage", function () {
  this.timeout(20_000);
  it("keeps what it has written where the file cannot be written anew, and does so once it can", async () => {
    const folder = await newFolder();
    const storage = await FileStorage.open(folder);
    const inTheWay = join(folder, "state.log.new");
    await mkdir(inTheWay);
    const long = "x".repeat(300_000);
    for (let at = 1; at <= 8; at++) await storage.write([{ key: "a", value: `${at} ${long}` }]);
    assert.ok((await stat(join(folder, "state.log"))).size > 2_400_000);
    await rm(inTheWay, { recursive: true });
    for (let at = 9; at <= 16; at++) await storage.write([{ key: "a", value: `${at} ${long}` }]);
    assert.ok((await stat(join(folder, "state.log"))).size < 2_400_000, "it was written anew");
    await storage.write([{ key: "b", value: 1 }], { durable: true });
    await storage.close();
    const again = await FileStorage.open(folder);
    assert.deepEqual(
      [...(await again.load())],
      [
        ["a", `16 ${long}`],
        ["b", 1],
      ],
    );
    await again.close();
  });

  it("has all of a change or none of it, wherever the file was cut", async () => {
    const folder = await newFolder();
    const storage = await FileStorage.open(folder);
    for (let at = 1; at <= 4; at++) {
      await storage.write([
        { key: "a", value: at },
        { key: "b", value: `grüße ${at}` },
      ]);
    }
    await storage.close();
    const path = join(folder, "state.log");
    const whole = join(folder, "whole");
    await copyFile(path, whole);
    const { size } = await stat(whole);
    for (let bytes = 0; bytes <= size; bytes++) {
      await copyFile(whole, path);
      await truncate(path, bytes);
      const torn = await FileStorage.open(folder);
      const { a, b } = Object.fromEntries(await torn.load());
      assert.equal(b, a === undefined ? undefined : `grüße ${a}`);
      await torn.write([
        { key: "a", value: 9 },
        { key: "b", value: "grüße 9" },
      ]);
      await torn.close();
      const again = await FileStorage.open(folder);
      assert.equal((await again.load()).get("a"), 9, `written after a cut at ${bytes}`);
      await again.close();
    }
  });

  it("ignores a line whose bytes rotted, and everything after it", async () => {
    const folder = await newFolder();
    const storage = await FileStorage.open(folder);
    await storage.write([{ key: "a", value: 1 }]);
    await storage.write([{ key: "a", value: 2 }]);
    await storage.close();
    const path = join(folder, "state.log");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('["a",2]', '["a",3]'));
    await appendFile(path, "half a li");
    const again = await FileStorage.open(folder);
    assert.equal((await again.load()).get("a"), 1);
    await again.close();
  });

  it("loses nothing that was durable when its process is killed, 10 times", async function () {
    this.timeout(60_000);
    const folder = await newFolder();
    const module = JSON.stringify(join(import.meta.dirname, "file-storage.ts"));
    const script = `import { FileStorage } from ${module};
      const storage = await FileStorage.open(${JSON.stringify(folder)});
      let n = Number((await storage.load()).get("n") ?? 0);
      for (;;) {
        n += 1;
        await storage.write([{ key: "n", value: n }, { key: "copy", value: String(n) }], { durable: true });
        console.log(n);
      }`;
    let promised = 0;
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script]);
      const exit = once(child, "exit");
      const target = promised + 3 + 7 * round;
      for await (const line of createInterface({ input: child.stdout })) {
        promised = Number(line);
        if (promised >= target) child.kill("SIGKILL");
      }
      await exit;
      const storage = await FileStorage.open(folder);
      const kept = await storage.load();
      assert.ok(Number(kept.get("n")) >= promised, `${kept.get("n")} after ${promised} was promised`);
      assert.equal(kept.get("copy"), String(kept.get("n")));
      await storage.close();
    }
    assert.ok(promised > 0);
  });

  it("writes itself anew when it has grown, within one run and over many short ones", async () => {
    const folder = await newFolder();
    const text = "x".repeat(10_000);
    let storage = await FileStorage.open(folder);
    for (let at = 0; at < 300; at++) await storage.write([{ key: "a", value: `${text}${at}` }]);
    await storage.close();
    for (let run = 0; run < 30; run++) {
      storage = await FileStorage.open(folder);
      for (let at = 0; at < 10; at++) await storage.write([{ key: "a", value: `${text}${at}` }]);
      await storage.close();
    }
    const { size } = await stat(join(folder, "state.log"));
    assert.ok(size < 1_200_000, `${size} bytes for one value of 10,000`);
    storage = await FileStorage.open(folder);
    assert.equal((await storage.load()).get("a"), `${text}9`);
    await storage.close();
  });

  it("removes what a rewrite left behind when it was interrupted", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "state.log.new"), "half");
    const storage = await FileStorage.open(folder);
    await storage.close();
    await assert.rejects(stat(join(folder, "state.log.new")), { code: "ENOENT" });
  });

  it("refuses a folder that it cannot use", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "file"), "");
    await assert.rejects(FileStorage.open(join(folder, "file", "below")));
    await mkdir(join(folder, "state.log"));
    await assert.rejects(FileStorage.open(folder));
  });
});
