import { rename, rm } from "node:fs/promises";
import { hex } from "../../base/ids.ts";
import { type LostSeqs, ThreadSalvage } from "../../message/offline/thread-salvage.ts";
import { ROW_KEY_BYTES, readEntryQualifier, rowKey } from "../../store/keys.ts";
import { FAMILY_AT, headKey, LETTER } from "../../store/level/cell-keys.ts";
import { LogContent } from "../../store/level/offline/log-content.ts";
import { NewLog } from "../../store/level/offline/new-log.ts";
import { readTimestamp } from "../../store/level/versioned-value.ts";
import { RECEIPTS_BUCKET } from "../../store/message-store.ts";

/** What a damaged message log has lost. */
export interface Loss {
  /** The damaged files, with what is wrong with each. */
  readonly files: readonly { readonly file: string; readonly why: string }[];
  /** Threads with entries that are gone, as far as what is left shows it, and which. */
  readonly threads: readonly { readonly thread: string; readonly lost: readonly LostSeqs[] }[];
  /** Threads of which the head was lost, and what it said of blocks with it. In hex. */
  readonly epochsMade: ReadonlySet<string>;
  /** Where the damaged folder is now, as it was. */
  readonly aside: string;
}

/**
 * Makes a message log that is damaged one that can be opened: all that can be read of it is written to a folder of its
 * own, which then takes its place; the damaged one is kept at `aside`. Resolves to undefined, with everything as it was,
 * where nothing is damaged. Nobody may use the folder.
 */
export async function salvageMessages(
  path: string,
  aside: string,
  progress: (text: string) => void,
): Promise<Loss | undefined> {
  const target = `${path}.new`;
  await rm(target, { recursive: true, force: true });
  const content = new LogContent(path, (done, of) => progress(`table ${done + 1} of ${of}`));
  const log = new NewLog(target);
  const copy = new Copy(log);
  try {
    for await (const [key, value] of content.cells()) await copy.add(key, value);
    await copy.endThread();
    await log.finish();
    if (content.damages.length === 0) return undefined;
    await rename(path, aside);
    await rename(target, path);
    return { files: content.damages, threads: copy.lossy, epochsMade: copy.epochsMade, aside };
  } finally {
    await log.abandon();
    await rm(target, { recursive: true, force: true });
  }
}

class Copy {
  readonly #log: NewLog;
  readonly lossy: { thread: string; lost: readonly LostSeqs[] }[] = [];
  readonly epochsMade = new Set<string>();
  #threadId = new Uint8Array(0);
  #thread = new ThreadSalvage();

  constructor(log: NewLog) {
    this.#log = log;
  }

  async add(key: Uint8Array, value: Uint8Array): Promise<void> {
    if (key.length <= ROW_KEY_BYTES) return await this.#log.put(key, value);
    const threadId = key.subarray(2, 18);
    if (Buffer.compare(threadId, this.#threadId) !== 0) {
      await this.endThread();
      this.#threadId = new Uint8Array(threadId);
      this.#thread = new ThreadSalvage();
    }
    const bucket = Buffer.from(key.buffer, key.byteOffset + 18, 4).readUInt32BE();
    const letter = key[FAMILY_AT];
    if (letter === LETTER.h) this.#thread.addHead(bucket, value);
    if (letter === LETTER.m) this.#thread.addEntry({ ...readEntryQualifier(key, ROW_KEY_BYTES + 1), value });
    // A position above the end of what is left would be one of other entries, that come there later.
    const isBeyond =
      bucket === RECEIPTS_BUCKET && letter === LETTER.r && readTimestamp(value) > this.#thread.seq;
    if (!isBeyond) await this.#log.put(key, value);
  }

  /** After the last cell of a thread: the receipts, which stand last, have been copied too. */
  async endThread(): Promise<void> {
    const { lost, isEpochMade } = this.#thread;
    if (isEpochMade) this.epochsMade.add(hex(this.#threadId));
    for (const [bucket, head] of this.#thread.heads())
      await this.#log.put(headKey(rowKey({ threadId: this.#threadId, bucket })), head);
    if (lost.length > 0) this.lossy.push({ thread: hex(this.#threadId), lost });
  }
}
