import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEVICE_ID_PATTERN } from "../../../internal/base/ids.ts";
import { ChatError, EXIT } from "../exit-code.ts";
import { FolderLock } from "./folder-lock.ts";

/**
 * Runs of one user on one machine at a time. A user has at most 100 devices, so slots are used again: a new device for
 * each run would push the user's other devices out.
 */
const SLOTS = 16;
/** Holds the device's id and nothing else. */
const DEVICE_FILE = "device";

/** A device of the user on this machine, with its folder, held by this process alone. */
export interface DeviceSlot {
  readonly folder: string;
  readonly deviceId: string;
  /** 1 for the first run; a second at the same time gets 2. */
  readonly number: number;
  /** Lets another run have it. Close the client first: it writes into the folder until then. */
  release(): Promise<void>;
}

/** Takes the first free slot of a user's state folder. Rejects with ChatError if none is free or usable. */
export async function takeSlot(stateFolder: string): Promise<DeviceSlot> {
  for (let number = 1; number <= SLOTS; number++) {
    const slot = await trySlot(folderOf(stateFolder, number), number);
    if (slot) return slot;
  }
  throw new ChatError(EXIT.failed, `${SLOTS} chats of this user are running here already (${stateFolder})`);
}

/** Takes every slot but the first that was used before and is not in use. The caller releases each. */
export async function idleSlots(stateFolder: string): Promise<readonly DeviceSlot[]> {
  const slots: DeviceSlot[] = [];
  for (let number = 2; number <= SLOTS && existsSync(folderOf(stateFolder, number)); number++) {
    const slot = await trySlot(folderOf(stateFolder, number), number);
    if (slot) slots.push(slot);
  }
  return slots;
}

function folderOf(stateFolder: string, number: number): string {
  return number === 1 ? stateFolder : join(stateFolder, String(number));
}

/**
 * The slot if it is free, undefined if another process has it. Rejects with ChatError where the folder cannot be used:
 * the next one could not be either.
 */
async function trySlot(folder: string, number: number): Promise<DeviceSlot | undefined> {
  try {
    const lock = await FolderLock.takeLock(folder);
    if (!lock) return undefined;
    const deviceId = await deviceIdOf(folder).catch(async (fault) => {
      await lock.release();
      throw fault;
    });
    return { folder, deviceId, number, release: () => lock.release() };
  } catch (fault) {
    const reason = (fault as Error).message;
    throw new ChatError(EXIT.failed, `cannot keep state in ${folder}: ${reason}; give another with --state`);
  }
}

/** Made once, then the same until `renewDevice`. */
async function deviceIdOf(folder: string): Promise<string> {
  const known = await readFile(join(folder, DEVICE_FILE), "utf8").catch(() => "");
  return DEVICE_ID_PATTERN.test(known) ? known : await newDevice(folder);
}

/** The slot with another device, on the same state. Its client is closed. */
export async function renewSlot(slot: DeviceSlot): Promise<DeviceSlot> {
  return { ...slot, deviceId: await newDevice(slot.folder) };
}

/** Names the device of a folder anew: from the next run on it is another one, on the same state. */
export async function renewDevice(folder: string): Promise<void> {
  await newDevice(folder);
}

async function newDevice(folder: string): Promise<string> {
  const deviceId = `chat-${randomBytes(6).toString("hex")}`;
  // For this user of the machine alone: who knows the id can act as this device, given a token.
  await writeFile(join(folder, DEVICE_FILE), deviceId, { mode: 0o600 });
  return deviceId;
}
