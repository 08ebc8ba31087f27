import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { startHeddle } from "../all-in-one.ts";
import { developmentConfig } from "../settings/config.ts";
import { verifyFolder } from "./verify.ts";

const FIXTURE = join(import.meta.dirname, "../../testing/fixtures/043988e/stopped");

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

  const idOf = (folder: string) => readFile(join(folder, "deployment-id"), "utf8");

  it("tell of one digit in the deployment's id that is another: clients would drop all that they hold", async () => {
    await change("deployment-id", (text) => (text.startsWith("0") ? "1" : "0") + text.slice(1));
    assert.match((await problems()).join("\n"), /^deployment-id: .*removed/);
    assert.match(await refusal(), /deployment-id is damaged .*remove it: .*copy/);
    await rm(join(data, "deployment-id"));
    await start();
    assert.equal(await idOf(data), await idOf(join(base, "source")));
  });

  it("put back the deployment's id that is missing, from its copy, and say so in the log", async () => {
    await rm(join(data, "deployment-id"));
    assert.match((await problems()).join("\n"), /^deployment-id: it is missing: .*puts .*copy/);
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    const config = developmentConfig(data, { drainMs: 0, logLevel: "info" });
    await (await startHeddle(config, { logDestination: { write } })).close();
    assert.match(lines.join(""), /deployment-id was missing/);
    assert.equal(await idOf(data), await idOf(join(base, "source")));
    assert.deepEqual(await problems(), []);
  });

  it("refuse to make another id where there is no copy of the one that is missing, and say how to go on", async () => {
    await rm(join(data, "deployment-id"));
    // As programs wrote it that kept no copy.
    await writeFile(join(data, "version.json"), '{"data":1,"program":"0.1.0"}\n');
    for (let starts = 0; starts < 2; starts++)
      assert.match(await refusal(), /deployment-id is missing.*backup.*remove .*version\.json/);
    assert.match((await problems()).join("\n"), /^deployment-id: it is missing.*no start/);
    await rm(join(data, "version.json"));
    await start();
    assert.notEqual(await idOf(data), await idOf(join(base, "source")));
    assert.deepEqual(await problems(), []);
  });

  it("take the copy at the first start where an earlier program kept none", async () => {
    await writeFile(join(data, "version.json"), '{"data":1,"program":"0.1.0"}\n');
    await start();
    await rm(join(data, "deployment-id"));
    await start();
    assert.equal(await idOf(data), await idOf(join(base, "source")));
  });

  it("know a copy of the id that is damaged from an id that is", async () => {
    await change("version.json", (text) =>
      text.replace(/("deployment":")(.)/, (_, key, one) => key + (one === "0" ? "1" : "0")),
    );
    assert.match((await problems()).join("\n"), /^version\.json: /);
    assert.match(await refusal(), /version\.json is damaged .*remove it/);
    await rm(join(data, "version.json"));
    await start();
    assert.equal(await idOf(data), await idOf(join(base, "source")));
    assert.deepEqual(await problems(), []);
  });

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
