import { type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";

/** A key that signs tokens (ES256). */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly kid: string;
  readonly privateKey: CryptoKey | KeyObject;
  /** The public half with `kid`, `alg` and `use`, as a JWKS lists it. */
  readonly publicJwk: JWK;
}

/**
 * The signing key kept in a file, made the first time. Readable by its owner only. Processes that start at the same
 * moment agree on one key: the file appears whole or not at all. Rejects with the file system's error, or with a
 * SyntaxError or TypeError if the file holds no key.
 */
export async function loadSigningKey(path: string): Promise<SigningKey> {
  const stored = await storedSigningKey(path);
  if (stored) return stored;
  await create(path);
  return await fromJwk(JSON.parse(await readFile(path, "utf8")) as JWK);
}

/** The same, without making one: undefined if there is none. */
export async function storedSigningKey(path: string): Promise<SigningKey | undefined> {
  const stored = await readIfThere(path);
  return stored === undefined ? undefined : await fromJwk(JSON.parse(stored) as JWK);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function create(path: string): Promise<void> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(part, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(await exportJWK(privateKey))}\n`);
    await file.sync();
    await link(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // Another process was first: its key counts.
  } finally {
    await file.close();
    await rm(part);
  }
}

async function fromJwk(jwk: JWK): Promise<SigningKey> {
  const { kty, crv, x, y } = jwk;
  if (kty !== "EC" || crv !== "P-256" || !x || !y || !jwk.d) throw new TypeError("not a private P-256 key");
  const kid = await calculateJwkThumbprint({ kty, crv, x, y });
  // Its errors have codes, as those of the file system, which mean that a key may well be there.
  const privateKey = (await importJWK(jwk, "ES256").catch((cause: unknown) => {
    throw new TypeError("not a private P-256 key", { cause });
  })) as CryptoKey;
  return { kid, privateKey, publicJwk: { kty, crv, x, y, kid, alg: "ES256", use: "sig" } };
}
