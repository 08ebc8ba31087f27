import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourcesHash } from "./sources-hash.ts";

describe("sourcesHash", () => {
  it("changes with a byte and with a path, and not with the place of the checkout or with other files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-sources-"));
    try {
      const [one, two] = [join(folder, "one"), join(folder, "two")];
      const hashOf = (root: string) => sourcesHash(root, [{ folder: join(root, "proto"), ending: ".proto" }]);
      await mkdir(join(one, "proto/v1"), { recursive: true });
      await writeFile(join(one, "proto/v1/a.proto"), "a");
      await cp(one, two, { recursive: true });
      const first = await hashOf(one);
      assert.match(first, /^[0-9a-f]{16}$/);
      await writeFile(join(two, "proto/notes.md"), "b");
      assert.equal(await hashOf(two), first);
      await rename(join(two, "proto/v1/a.proto"), join(two, "proto/v1/b.proto"));
      const renamed = await hashOf(two);
      assert.notEqual(renamed, first);
      await writeFile(join(two, "proto/v1/b.proto"), "b");
      assert.notEqual(await hashOf(two), renamed);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
