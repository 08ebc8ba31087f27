import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { describeSettings, readSettings, SettingsError } from "./env.ts";

const settings = {
  LOOM_PORT: { schema: z.coerce.number({ error: "write a number" }).default(1), about: "the port" },
  LOOM_NAME: { schema: z.string().optional(), about: "a name" },
  LOOM_SECRET: { schema: z.string().optional(), about: "a secret", secret: true },
};
const read = (env: Record<string, string>) =>
  readSettings(settings, env, { prefix: "LOOM_", others: ["LOOM_TEST_", "LOOM_OTHER"] });

function problems(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message.split("\n");
  }
  return [];
}

describe("Settings", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "heddle-env-"));
    writeFileSync(join(folder, "secret"), "from a file\n");
    writeFileSync(join(folder, "empty"), "\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("come from the environment, or are what they are by default; empty is not set", () => {
    assert.deepEqual(read({ LOOM_PORT: "80", LOOM_NAME: "x" }), {
      LOOM_PORT: 80,
      LOOM_NAME: "x",
      LOOM_SECRET: undefined,
    });
    assert.equal(read({ LOOM_PORT: "" }).LOOM_PORT, 1);
  });

  it("that do not exist are errors, with the one that may be meant", () => {
    assert.deepEqual(problems({ LOOM_PROT: "80" }), [
      "LOOM_PROT: there is no such setting; did you mean LOOM_PORT?",
    ]);
    assert.deepEqual(problems({ LOOM_PORT_NUMBER: "80", LOOM_BOGUS: "1" }), [
      "LOOM_PORT_NUMBER: there is no such setting; did you mean LOOM_PORT?",
      "LOOM_BOGUS: there is no such setting: mend its name, or leave it out",
    ]);
  });

  it("of other programs are left alone", () => {
    assert.deepEqual(problems({ LOOM_TEST_X: "1", LOOM_OTHER: "1", UNRELATED: "1" }), []);
    assert.equal(problems({ LOOM_OTHER_X: "1" }).length, 1);
  });

  it("that are wrong are all named at once", () => {
    assert.deepEqual(problems({ LOOM_PORT: "many", LOOM_X: "1" }), [
      "LOOM_X: there is no such setting: mend its name, or leave it out",
      "LOOM_PORT: write a number",
    ]);
  });

  it("that are secret may stand in a file, and no others", () => {
    assert.equal(read({ LOOM_SECRET_FILE: join(folder, "secret") }).LOOM_SECRET, "from a file");
    assert.match(problems({ LOOM_SECRET_FILE: join(folder, "none") })[0] ?? "", /cannot be read \(ENOENT\)/);
    assert.match(
      problems({ LOOM_SECRET: "a", LOOM_SECRET_FILE: join(folder, "secret") })[0] ?? "",
      /leave one out/,
    );
    assert.equal(problems({ LOOM_NAME_FILE: join(folder, "secret") }).length, 1);
  });

  it("are not what they are by default where the file of a secret is empty", () => {
    const path = join(folder, "empty");
    assert.deepEqual(problems({ LOOM_SECRET_FILE: path }), [
      `LOOM_SECRET_FILE: ${path} is empty: write the value there, or unset LOOM_SECRET_FILE`,
    ]);
  });

  it("are printed without their secrets", () => {
    const values = read({ LOOM_SECRET: "hush", LOOM_NAME: "x" });
    assert.equal(
      describeSettings(settings, values),
      "# the port\nLOOM_PORT=1\n# a name\nLOOM_NAME=x\n# a secret; or LOOM_SECRET_FILE, a file that holds it\nLOOM_SECRET=[set]\n",
    );
  });
});
