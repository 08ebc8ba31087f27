import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { readIfThere, writePrivateFile } from "./private-file.ts";

/** Paths of the keys that sign for users of a mesh. */
export interface MeshKeys {
  /** A JWK set with private keys (ES256), for gateways: the first signs tickets, all verify. */
  readonly tickets: string;
  /** The public halves of the same, for push servers. */
  readonly ticketsPublic: string;
  /** One private JWK, for the gateway of the development profile, which signs user tokens by it. */
  readonly dev: string;
}

/** How many keys verify: after as many rotations a key is forgotten, and every ticket of it ended long ago. */
const KEPT_TICKET_KEYS = 3;

interface KeySet {
  readonly keys: readonly JWK[];
}

/** Has the keys of a mesh in its folder: those that are there stay, the others are made. */
export async function keepKeys(folder: string): Promise<MeshKeys> {
  const keys: MeshKeys = {
    tickets: join(folder, "keys/tickets.json"),
    ticketsPublic: join(folder, "keys/tickets-public.json"),
    dev: join(folder, "keys/dev.json"),
  };
  const kept = await readSet(keys.tickets);
  if (kept)
    await writePublic(keys, kept); // A maker that was killed may have left them out.
  else await writeSet(keys, { keys: [await newKey()] });
  if ((await readIfThere(keys.dev)) === undefined) {
    await writePrivateFile(keys.dev, `${JSON.stringify(await newKey())}\n`);
  }
  return keys;
}

/**
 * The first step of a rotation: a new key that verifies and does not sign. When all programs have read it (they look when
 * the file changes), `signWithNewest` is the second. The public halves are always written before a key may sign.
 */
export async function addTicketKey(keys: MeshKeys): Promise<void> {
  const kept = await readSet(keys.tickets);
  await writeSet(keys, { keys: [...(kept?.keys ?? []), await newKey()] });
}

/** The second step: the newest key signs, the earlier ones verify until two more have come. */
export async function signWithNewest(keys: MeshKeys): Promise<void> {
  const kept = (await readSet(keys.tickets))?.keys ?? [];
  const newest = kept.slice(-1);
  await writeSet(keys, { keys: [...newest, ...kept.slice(0, -1)].slice(0, KEPT_TICKET_KEYS) });
}

async function readSet(path: string): Promise<KeySet | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : (JSON.parse(text) as KeySet);
}

async function writeSet(keys: MeshKeys, set: KeySet): Promise<void> {
  await writePublic(keys, set);
  await writePrivateFile(keys.tickets, `${JSON.stringify(set)}\n`);
}

async function writePublic(keys: MeshKeys, set: KeySet): Promise<void> {
  const halves = set.keys.map(({ d: _, ...half }) => half);
  const text = `${JSON.stringify({ keys: halves })}\n`;
  if ((await readIfThere(keys.ticketsPublic)) !== text) await writePrivateFile(keys.ticketsPublic, text);
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" };
}
