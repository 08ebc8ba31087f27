import type { Registered } from "../registry.ts";

/** Keys from `start` to below `end`, as etcd takes them. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** Where a service's counter stands: see etcd-counter.ts. */
export function counterKey(service: string): Buffer {
  return Buffer.from(`/heddle/${service}`);
}

export function instanceKey(service: string, name: string): Buffer {
  return Buffer.from(`/heddle/${service}/${name}`);
}

/** All instances of a service, without its counter. */
export function instanceKeys(service: string): KeyRange {
  return allBelow(`/heddle/${service}`);
}

/** Beside the instances, so that a load is no news of them. */
export function loadKey(service: string, name: string): Buffer {
  return Buffer.from(`/heddle-load/${service}/${name}`);
}

export function loadKeys(service: string): KeyRange {
  return allBelow(`/heddle-load/${service}`);
}

/** The last part of a key below `range`. */
export function nameOf(range: KeyRange, key: Buffer): string {
  return key.subarray(range.key.length).toString();
}

/** "0" follows "/". */
function allBelow(folder: string): KeyRange {
  return { key: Buffer.from(`${folder}/`), range_end: Buffer.from(`${folder}0`) };
}

export function encodeEntry(entry: Registered): Buffer {
  return Buffer.from(JSON.stringify(entry));
}

/** Undefined for what no program of ours has written under the key. */
export function decodeEntry(key: Buffer, value: Buffer): Registered | undefined {
  try {
    const entry = JSON.parse(value.toString());
    return isEntry(entry) && instanceKey(entry.service, entry.name).equals(key) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Registered {
  if (typeof value !== "object" || value === null) return false;
  const { service, name, address, build, state, incarnation, details = {} } = value as Partial<Registered>;
  const texts = [service, name, address, build];
  return (
    texts.every((text) => typeof text === "string") &&
    (state === "serving" || state === "leaving") &&
    Number.isSafeInteger(incarnation) &&
    typeof details === "object" &&
    details !== null &&
    Object.values(details).every((text) => typeof text === "string")
  );
}
