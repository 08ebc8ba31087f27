import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findJava } from "./java.ts";

describe("findJava", () => {
  let home: string;
  const before = process.env.JAVA_HOME;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "heddle-java-"));
    process.env.JAVA_HOME = home;
  });

  afterEach(async () => {
    if (before === undefined) delete process.env.JAVA_HOME;
    else process.env.JAVA_HOME = before;
    await rm(home, { recursive: true });
  });

  async function install(says: string): Promise<void> {
    await mkdir(join(home, "bin"));
    await writeFile(join(home, "bin/java"), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
  }

  it("says what to install where there is none", async () => {
    await assert.rejects(
      findJava(),
      /java is missing: install a JDK 17 \(Debian: apt-get install openjdk-17/,
    );
  });

  it("refuses one that does not run HBase, and says which does", async () => {
    await install("openjdk 25.0.1 2025-10-21 LTS");
    await assert.rejects(
      findJava(),
      /HBase runs on Java 11 to 23, and .*java is 25: install a JDK 17.*JAVA_HOME/,
    );
  });

  it("takes one that does", async () => {
    await install("openjdk 21.0.8 2025-07-15");
    assert.equal(await findJava(), join(home, "bin/java"));
  });
});
