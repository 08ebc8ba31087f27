import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { MessageStore } from "./message-store.ts";

/** What every MessageStore does with a prefix. Part of message-store.suite.ts. */
export function familyPrefixSuite(store: () => MessageStore, family: "x" | "r"): void {
  it(`reads of ${family} the cells alone whose qualifiers begin as asked`, async () => {
    const row = { threadId: randomBytes(16), bucket: 0 };
    const names = [[1], [1, 0], [1, 255], [1, 255, 255], [2], [255], [255, 255, 7]];
    const cells = names.map((name) => ({
      qualifier: Uint8Array.from(name),
      timestamp: 1,
      value: Uint8Array.of(7),
    }));
    await store().put(row, family, cells);
    const found = async (prefix: number[]) => {
      const query = { family, prefix: Uint8Array.from(prefix) };
      return (await store().get(row, query)).cells.map(({ qualifier }) => [...qualifier]);
    };
    assert.deepEqual(await found([1]), names.slice(0, 4));
    assert.deepEqual(await found([1, 255]), names.slice(2, 4));
    assert.deepEqual(await found([255, 255]), [[255, 255, 7]]);
    assert.deepEqual(await found([]), names);
    assert.deepEqual(await found([3]), []);
  });
}
