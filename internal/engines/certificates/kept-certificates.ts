import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { Authority, type CertificateAndKey, LIFE_MS, SERVICES, type Service } from "./authority.ts";
import { readIfThere, writePrivateFile } from "./private-file.ts";

/** Paths of PEM files, as HEDDLE_TLS_CERT, HEDDLE_TLS_KEY and HEDDLE_TLS_CA take them. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** Where the certificates of a mesh are. */
export interface MeshCertificates {
  /** What clients of the edge trust. */
  readonly ca: string;
  /** What clients of the edge are shown. */
  readonly edge: CertificateFiles;
  of(service: Service): CertificateFiles;
  /** Whose certificate was made by this call, in words; empty if all were there and fresh. */
  readonly made: readonly string[];
}

/** A certificate is renewed when less than this share of its life is left. */
const RENEWED_AT = 1 / 3;

/**
 * Has every certificate of a mesh in its folder: those that are there, fresh and by the kept authority stay, the others
 * are made. Call it again from time to time: what ages is renewed, a key first, then its certificate, so who reads both
 * in between finds that they do not fit and reads again. An authority that ages (its last three years) is replaced, and
 * all certificates with it: only while nothing of the mesh runs, so `nowMs` of the start decides.
 */
export async function keepCertificates(
  folder: string,
  nowMs: number,
  hosts: readonly string[] = [],
): Promise<MeshCertificates> {
  const made: string[] = [];
  const ca = join(folder, "ca.pem");
  const authority = await keepAuthority(
    { certificate: ca, key: join(folder, "keys/ca-key.pem") },
    nowMs,
    made,
  );
  const filesOf = (name: string): CertificateFiles => ({
    certificate: join(folder, "keys", name, "certificate.pem"),
    key: join(folder, "keys", name, "key.pem"),
    ca,
  });
  const keep = async (name: string, issue: () => Promise<CertificateAndKey>) => {
    const kept = await readPair(filesOf(name));
    if (kept && isFresh(kept, authority, nowMs, hosts)) return;
    await writePair(filesOf(name), await issue());
    made.push(name);
  };
  await keep("edge", () => authority.issueEdge(nowMs, hosts));
  for (const service of SERVICES) await keep(service, () => authority.issue(service, nowMs, hosts));
  return { ca, edge: filesOf("edge"), of: filesOf, made };
}

async function keepAuthority(
  files: Omit<CertificateFiles, "ca">,
  nowMs: number,
  made: string[],
): Promise<Authority> {
  const kept = await readPair(files);
  if (kept && leftMs(kept, nowMs) > RENEWED_AT * LIFE_MS.authority) return await Authority.of(kept);
  const authority = await Authority.make(nowMs);
  await writePair(files, authority);
  made.push("authority");
  return authority;
}

async function readPair(files: Omit<CertificateFiles, "ca">): Promise<CertificateAndKey | undefined> {
  const certificate = await readIfThere(files.certificate);
  const key = await readIfThere(files.key);
  return certificate === undefined || key === undefined || !fits({ certificate, key })
    ? undefined
    : { certificate, key };
}

async function writePair(files: Omit<CertificateFiles, "ca">, pair: CertificateAndKey): Promise<void> {
  await writePrivateFile(files.key, pair.key);
  await writePrivateFile(files.certificate, pair.certificate);
}

/** Whether both can be read and the key is the certificate's: a maker that was killed may have left half. */
function fits({ certificate, key }: CertificateAndKey): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isFresh(
  pair: CertificateAndKey,
  authority: Authority,
  nowMs: number,
  hosts: readonly string[],
): boolean {
  const parsed = new X509Certificate(pair.certificate);
  const isOurs = parsed.verify(new X509Certificate(authority.certificate).publicKey);
  const names = (host: string) => (isIP(host) === 0 ? parsed.checkHost(host) : parsed.checkIP(host));
  const isNamed = hosts.every((host) => names(host) !== undefined);
  return isOurs && isNamed && leftMs(pair, nowMs) > RENEWED_AT * LIFE_MS.leaf;
}

function leftMs({ certificate }: CertificateAndKey, nowMs: number): number {
  return new X509Certificate(certificate).validToDate.getTime() - nowMs;
}
