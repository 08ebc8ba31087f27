import { copyFile, stat, truncate } from "node:fs/promises";

/** A log never has much more than this, and as much once more beside it, as `<log>.1`. */
export const LOG_BYTES = 16 * 1024 * 1024;

/**
 * Puts a log aside that has grown too long, and empties it. Who writes it has it open for appending and goes on at its new
 * beginning; what is written between the copy and the emptying is lost. Never rejects: a log that is not there is short.
 */
export async function boundLog(path: string, maxBytes = LOG_BYTES): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size <= maxBytes) return;
  await copyFile(path, `${path}.1`).catch(() => {}); // A full disk: then it is emptied all the more.
  await truncate(path, 0).catch(() => {});
}
