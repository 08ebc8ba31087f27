import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSigningKey } from "./signing-key.ts";

describe("A signing key in a file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-keys-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is made once, however many ask at the same moment, and stays", async () => {
    const path = join(folder, "keys/a.json");
    const kids = await Promise.all(Array.from({ length: 8 }, async () => (await loadSigningKey(path)).kid));
    assert.equal(new Set(kids).size, 1);
    assert.equal((await loadSigningKey(path)).kid, kids[0]);
    assert.deepEqual(await readdir(join(folder, "keys")), ["a.json"]);
  });

  it("can be read by its owner only, and shows its public half without the private one", async () => {
    const path = join(folder, "a.json");
    const { publicJwk } = await loadSigningKey(path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(Object.keys(publicJwk).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
  });

  it("that is no key is refused and left alone", async () => {
    const path = join(folder, "a.json");
    await loadSigningKey(path);
    const spoilt = ["d", "x", "y"].map(async (name) =>
      (await readFile(path, "utf8")).replace(new RegExp(`"${name}":"...`), `"${name}":"___`),
    );
    for (const text of ["", "{}", "null", '{"kty":"oct","k":"AAAA"}', ...(await Promise.all(spoilt))]) {
      await writeFile(path, text);
      const refused = (error: unknown) => error instanceof SyntaxError || error instanceof TypeError;
      await assert.rejects(loadSigningKey(path), refused, text);
    }
  });
});
