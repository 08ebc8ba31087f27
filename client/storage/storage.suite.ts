import assert from "node:assert/strict";
import type { Storage } from "./storage.ts";

/** What every Storage must do. `open` opens the same storage each time: what one object wrote, the next has. */
export function storageSuite(name: string, open: () => Promise<Storage>): void {
  describe(name, function () {
    this.timeout(20_000);
    it("begins with what earlier tests left removed, and keeps what is written", async () => {
      const storage = await open();
      await storage.write([...(await storage.load()).keys()].map((key) => ({ key, value: undefined })));
      const value = { text: "grüße 你好 \n", list: [1, null, true], deep: { seq: 2 ** 53 - 1 } };
      await storage.write([
        { key: "a", value },
        { key: "b", value: "x" },
      ]);
      assert.deepEqual(
        [...(await storage.load())],
        [
          ["a", value],
          ["b", "x"],
        ],
      );
      await storage.close();
    });

    it("has it when it is opened again, the newest value of each key, and not what was removed", async () => {
      const storage = await open();
      await storage.write([{ key: "b", value: 1 }], { durable: true });
      await storage.write([
        { key: "b", value: 2 },
        { key: "a", value: undefined },
        { key: "c", value: false },
      ]);
      await storage.close();
      const again = await open();
      assert.deepEqual(Object.fromEntries(await again.load()), { b: 2, c: false });
      await again.close();
    });

    it("applies writes in the order of the calls, waited for or not", async () => {
      const storage = await open();
      const writes = Array.from({ length: 50 }, (_, at) =>
        storage.write(
          [
            { key: "n", value: at },
            { key: `k${at % 7}`, value: at },
          ],
          { durable: at % 10 === 0 },
        ),
      );
      await Promise.all(writes);
      assert.equal((await storage.load()).get("n"), 49);
      await storage.close();
      const again = await open();
      assert.equal((await again.load()).get("n"), 49);
      assert.equal((await again.load()).get("k0"), 49);
      await again.close();
    });

    it("finishes what was written before it was closed", async () => {
      const storage = await open();
      const write = storage.write([{ key: "last", value: 1 }]);
      await storage.close();
      await write;
      const again = await open();
      assert.equal((await again.load()).get("last"), 1);
      await again.close();
    });
  });
}
