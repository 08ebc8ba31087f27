import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../store/data-folder-error.ts";
import { startHeddle } from "./all-in-one.ts";
import { developmentConfig } from "./config.ts";
import { verifyFolder } from "./verify.ts";

const FIXTURE = join(import.meta.dirname, "../testing/fixtures/043988e/stopped");

describe("The small files of a data folder", function () {
  this.timeout("30s");
  let base: string;
  let data: string;
  let nth = 0;

  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-identity-"));
    data = join(base, "source");
    await cp(FIXTURE, data, { recursive: true });
    await start();
  });
  beforeEach(async () => {
    data = join(base, `copy-${nth++}`);
    await cp(join(base, "source"), data, { recursive: true });
  });
  after(() => rm(base, { recursive: true }));

  const start = async () => {
    const heddle = await startHeddle(developmentConfig(data, { drainMs: 0, logLevel: "fatal" }));
    await heddle.close();
  };
  const refusal = async () => {
    const error = await start().then(
      () => assert.fail("it started"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof DataFolderError, String(error));
    return error.message;
  };
  const problems = async () =>
    (await verifyFolder(data, () => {})).problems.map(({ where, what }) => `${where}: ${what}`);
  const change = async (file: string, edit: (text: string) => string) => {
    const path = join(data, file);
    const text = await readFile(path, "utf8");
    assert.notEqual(edit(text), text);
    await writeFile(path, edit(text));
  };

  for (const [file, edit] of [
    ["keys/ticket.json", (text) => text.replace(/"d":"../, '"d":"__')],
    ["keys/ticket.json", (text) => text.slice(0, 20)],
    ["keys/dev-user.json", (text) => text.replace(/"x":"../, '"x":"__')],
    ["keys/admin", (text) => text.slice(1)],
    ["version.json", (text) => text.slice(1)],
    ["deployment-id", (text) => text.slice(1)],
  ] as readonly [string, (text: string) => string][])
    it(`say how to go on where ${file} is damaged, which helps: ${edit.toString().slice(10)}`, async () => {
      await change(file, edit);
      await rm(join(data, "threads.sqlite"));
      const found = await problems();
      assert.ok(
        found.some((line) => line.startsWith(`${file}: `)),
        found.join("\n"),
      );
      assert.ok(found.includes("threads.sqlite: it is missing"), "it looks on");
      await cp(join(base, "source/threads.sqlite"), join(data, "threads.sqlite"));
      const message = await refusal();
      assert.match(message, new RegExp(`${file} is damaged .*remove it`));
      assert.doesNotMatch(message, /repair|rights/);
      await rm(join(data, file));
      await start();
      assert.deepEqual(await problems(), []);
    });
});
