import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** What a README names: tests and suites stand beside what they try. */
const isNamed = (path: string) => path.endsWith(".ts") && !/\.(test|suite|d)\.ts$/.test(path);

describe("READMEs", () => {
  const list = execFileSync("git", ["ls-files", "internal"], { cwd: root, encoding: "utf8" });
  const files = list.split("\n").filter((path) => isNamed(path) && !path.startsWith("internal/gen"));
  const folders = Map.groupBy(files, dirname);

  for (const [folder, paths] of folders) {
    it(`name every file of ${folder}`, () => {
      const readme = join(root, folder, "README.md");
      assert.ok(existsSync(readme), `${folder} has no README.md: say in one screen what it holds`);
      const text = readFileSync(readme, "utf8");
      const missing = paths.map((path) => basename(path)).filter((name) => !text.includes(`\`${name}\``));
      assert.deepEqual(missing, [], `${folder}/README.md says nothing of them`);
    });
  }
});
