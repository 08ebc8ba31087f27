import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { encodeHead } from "../../base/head.ts";
import { DataFolderError } from "../data-folder-error.ts";
import { LevelMessageStore } from "./level-message-store.ts";

const ROW = { threadId: new Uint8Array(16).fill(7), bucket: 0 };
const ENTRIES = 97;

describe("A message store whose files are damaged", () => {
  let path: string;
  let log: string;
  let bytes: Buffer;

  // A log of 97 entries, each in a batch of its own, as the process leaves it when it is killed.
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), "heddle-damage-")), "messages");
    const store = await LevelMessageStore.open({ path, clock: systemClock });
    let head: Uint8Array | undefined;
    for (let seq = 1; seq <= ENTRIES; seq++) {
      const next = encodeHead({ seq, ordinal: seq, membersSeq: 0, epoch: 0 });
      const value = Buffer.alloc(100 + seq, seq);
      assert.ok(await store.checkAndPut(ROW, head, next, [{ seq, tag: new Uint8Array(8), value }]));
      head = next;
    }
    await store.close();
    log = join(path, (await readdir(path)).find((name) => name.endsWith(".log")) ?? "");
    bytes = await readFile(log);
  });
  afterEach(() => rm(join(path, ".."), { recursive: true }));

  const open = async (noticed: string[] = []) => {
    const watch = { failed() {}, recovered() {}, noticed: (what: string) => void noticed.push(what) };
    return await LevelMessageStore.open({ path, clock: systemClock, watch });
  };
  const seqs = async (store: LevelMessageStore) => {
    const { entries } = await store.get(ROW, { entries: { fromSeq: 1, toSeq: ENTRIES } });
    return entries.map(({ seq }) => seq);
  };

  it("is refused for a bad record before good ones, and its files are left alone", async () => {
    for (const part of [0.1, 0.5, 0.98]) {
      const damaged = Buffer.from(bytes);
      const at = Math.floor(bytes.length * part);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(log, damaged);
      const words = /\.log is damaged .*: bin\/heddle admin verify says .*put a backup/;
      await assert.rejects(open(), (error) => error instanceof DataFolderError && words.test(error.message));
      assert.deepEqual(await readFile(log), damaged);
    }
    await writeFile(log, bytes);
    const store = await open();
    assert.equal((await seqs(store)).length, ENTRIES);
    await store.close();
  });

  it("opens where the last write was not finished, with a remark, and holds all before it", async () => {
    await writeFile(log, bytes.subarray(0, bytes.length - 20));
    const noticed: string[] = [];
    const store = await open(noticed);
    assert.deepEqual(
      await seqs(store),
      Array.from({ length: ENTRIES - 1 }, (_, at) => at + 1),
    );
    await store.close();
    assert.match(noticed.join("\n"), /^\d+\.log: its last write was not finished .* left out$/);
  });
});
