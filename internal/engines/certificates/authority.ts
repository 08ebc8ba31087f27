import "reflect-metadata"; // The package needs it to be there first.
import { createPrivateKey, randomBytes } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** Who may hold a certificate of the mesh: a program, an engine, or an operator's own calls (`admin`). */
export const SERVICES = [
  "gateway",
  "push",
  "message",
  "channel",
  "presence",
  "thread",
  "controlplane",
  "envoy",
  "etcd",
  "admin",
] as const;

export type Service = (typeof SERVICES)[number];

/** Two PEM texts. */
export interface CertificateAndKey {
  readonly certificate: string;
  /** PKCS #8, not encrypted. */
  readonly key: string;
}

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** How long a certificate is good, in milliseconds. */
export const LIFE_MS = { authority: 3650 * DAY_MS, leaf: 30 * DAY_MS } as const;

/** A clock that is behind by less than this takes a certificate that was made just now. */
const BACKDATED_MS = 3_600_000;

/** What a certificate's URI says of who holds it. */
export function serviceUri(service: Service): string {
  return `spiffe://heddle/${service}`;
}

/** A certificate authority of one mesh: it signs for the mesh's services, and for the edge that clients dial. */
export class Authority {
  /** PEM: what everybody in the mesh, and its clients, trust. */
  readonly certificate: string;
  /** PEM. Nobody but the maker of certificates needs it. */
  readonly key: string;
  readonly #parsed: X509Certificate;
  readonly #signingKey: CryptoKey;

  private constructor({ certificate, key }: CertificateAndKey, signingKey: CryptoKey) {
    this.certificate = certificate;
    this.key = key;
    this.#parsed = new X509Certificate(certificate);
    this.#signingKey = signingKey;
  }

  /** Takes what an earlier authority had. Rejects with node:crypto's error for what is no certificate or no key. */
  static async of(kept: CertificateAndKey): Promise<Authority> {
    const der = createPrivateKey(kept.key).export({ type: "pkcs8", format: "der" });
    const bytes = Uint8Array.from(der);
    return new Authority(kept, await crypto.subtle.importKey("pkcs8", bytes, EC, false, ["sign"]));
  }

  /** Makes a new one. */
  static async make(nowMs: number): Promise<Authority> {
    const { pair, pem } = await newKey();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      ...validity(nowMs, LIFE_MS.authority),
      serialNumber: serial(),
      name: "CN=Heddle mesh",
      keys: pair,
      signingAlgorithm: EC,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(pair.publicKey),
      ],
    });
    return new Authority({ certificate: `${certificate.toString("pem")}\n`, key: pem }, pair.privateKey);
  }

  /**
   * A certificate of a service, for both ends of a call. `hosts` are the names and addresses that others dial it by
   * beside localhost and the service's own name.
   */
  async issue(service: Service, nowMs: number, hosts: readonly string[] = []): Promise<CertificateAndKey> {
    const names: JsonGeneralNames = [{ type: "url", value: serviceUri(service) }];
    return await this.#sign(service, [...names, ...dialled([service, ...hosts])], nowMs, [
      ExtendedKeyUsage.serverAuth,
      ExtendedKeyUsage.clientAuth,
    ]);
  }

  /** The certificate that clients see. It names no service and is of no use to call one. */
  async issueEdge(nowMs: number, hosts: readonly string[] = []): Promise<CertificateAndKey> {
    return await this.#sign("edge", dialled(hosts), nowMs, [ExtendedKeyUsage.serverAuth]);
  }

  async #sign(
    subject: string,
    names: JsonGeneralNames,
    nowMs: number,
    uses: ExtendedKeyUsage[],
  ): Promise<CertificateAndKey> {
    const { pair, pem } = await newKey();
    const certificate = await X509CertificateGenerator.create({
      ...validity(nowMs, LIFE_MS.leaf),
      serialNumber: serial(),
      subject: `CN=${subject}`,
      issuer: this.#parsed.subject,
      publicKey: pair.publicKey,
      signingKey: this.#signingKey,
      signingAlgorithm: EC,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(uses),
        new SubjectAlternativeNameExtension(names),
        await SubjectKeyIdentifierExtension.create(pair.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#parsed),
      ],
    });
    return { certificate: `${certificate.toString("pem")}\n`, key: pem };
  }
}

/** Programs of one machine dial each other by these, whatever else is asked for. */
function dialled(hosts: readonly string[]): JsonGeneralNames {
  const all = new Set(["localhost", "127.0.0.1", "::1", ...hosts]);
  return [...all].map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value }));
}

async function newKey(): Promise<{ readonly pair: CryptoKeyPair; readonly pem: string }> {
  const pair = await crypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const key = createPrivateKey({ key: der, type: "pkcs8", format: "der" });
  return { pair, pem: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

function validity(nowMs: number, lifeMs: number) {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs + lifeMs) };
}

/** Positive, and never twice. */
function serial(): string {
  return `01${randomBytes(15).toString("hex")}`;
}
