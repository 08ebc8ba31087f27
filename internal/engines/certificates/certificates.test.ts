import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { importJWK, jwtVerify, SignJWT } from "jose";
import { Authority, LIFE_MS, SERVICES } from "./authority.ts";
import { type CertificateFiles, keepCertificates } from "./kept-certificates.ts";
import { addTicketKey, keepKeys, signWithNewest } from "./kept-keys.ts";

const NOW_MS = Date.now();

describe("Certificates of a mesh", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-certificates-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("let both ends of a call know the other's service", async () => {
    const certificates = await keepCertificates(folder, NOW_MS);
    const met = await handshake(certificates.of("push"), certificates.of("message"));
    assert.match(met.server, /URI:spiffe:\/\/heddle\/push(,|$)/);
    assert.match(met.client, /^let in .*URI:spiffe:\/\/heddle\/message(,|$)/);
    assert.equal(met.protocol, "TLSv1.3");
  });

  it("are refused where another mesh's authority signed them, from either end", async () => {
    const ours = await keepCertificates(folder, NOW_MS);
    const theirs = await keepCertificates(join(folder, "other"), NOW_MS);
    await assert.rejects(handshake(ours.of("push"), theirs.of("message")), /self-signed|verify|unknown ca/i);
    const stranger = { ...theirs.of("message"), ca: ours.ca };
    assert.match((await handshake(ours.of("push"), stranger)).client, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  });

  it("of the edge names no service and is of no use to call one", async () => {
    const certificates = await keepCertificates(folder, NOW_MS);
    const asCaller = await handshake(certificates.of("push"), certificates.edge);
    assert.match(asCaller.client, /INVALID_PURPOSE/);
    const met = await handshake(certificates.edge, certificates.of("envoy"));
    assert.doesNotMatch(met.server, /spiffe/);
  });

  it("stay while they are fresh, and are renewed by the same authority when they age", async () => {
    const first = await keepCertificates(folder, NOW_MS);
    assert.deepEqual([...first.made].sort(), ["authority", "edge", ...SERVICES].sort());
    const kept = await texts();
    const half = await keepCertificates(folder, NOW_MS + LIFE_MS.leaf / 2);
    assert.deepEqual(half.made, []);
    assert.deepEqual(await texts(), kept);
    const aged = await keepCertificates(folder, NOW_MS + 0.7 * LIFE_MS.leaf);
    assert.deepEqual([...aged.made].sort(), ["edge", ...SERVICES].sort());
    assert.equal((await texts()).get("ca.pem"), kept.get("ca.pem"));
    const { ca: authority, certificate } = aged.of("push");
    const renewed = new X509Certificate(await readFile(certificate));
    assert.ok(renewed.verify(new X509Certificate(await readFile(authority)).publicKey));
    assert.equal(Math.round((renewed.validToDate.getTime() - NOW_MS) / LIFE_MS.leaf / 0.1), 17);
  });

  it("are all made anew by a new authority, and where a kill left a key without its certificate", async () => {
    const first = await keepCertificates(folder, NOW_MS);
    const strange = await Authority.make(NOW_MS);
    await writeFile(first.of("push").key, (await strange.issue("push", NOW_MS)).key);
    assert.deepEqual((await keepCertificates(folder, NOW_MS)).made, ["push"]);
    await rm(first.ca);
    assert.equal((await keepCertificates(folder, NOW_MS)).made.length, SERVICES.length + 2);
  });

  it("take the names and addresses of a machine that others dial", async () => {
    await keepCertificates(folder, NOW_MS);
    const named = await keepCertificates(folder, NOW_MS, ["chat.example", "10.1.2.3", "fd00::1"]);
    assert.equal(named.made.length, SERVICES.length + 1);
    const met = await handshake(named.edge, named.of("envoy"), "chat.example");
    assert.match(met.server, /DNS:chat\.example.*IP Address:10\.1\.2\.3/);
    assert.deepEqual((await keepCertificates(folder, NOW_MS, ["chat.example", "fd00::1"])).made, []);
  });

  it("are this user's alone", async () => {
    await keepCertificates(folder, NOW_MS);
    await keepKeys(folder);
    const modes = new Map<string, string>();
    for (const name of await readdir(folder, { recursive: true })) {
      const { mode } = await stat(join(folder, name));
      modes.set(name, (mode & 0o7777).toString(8));
    }
    assert.equal(modes.get("keys/push/key.pem"), "600");
    assert.deepEqual([...new Set(modes.values())].sort(), ["600", "700"]);
  });

  async function texts(): Promise<ReadonlyMap<string, string>> {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".pem")).sort();
    const read = names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const);
    return new Map(await Promise.all(read));
  }
});

describe("Keys of a mesh", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-keys-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("sign tickets that the public halves verify, and stay", async () => {
    const keys = await keepKeys(folder);
    const [signing] = await setAt(keys.tickets);
    const [verifying] = await setAt(keys.ticketsPublic);
    assert.ok(signing && verifying);
    assert.equal(verifying.d, undefined);
    const token = await new SignJWT({ sub: "ann" })
      .setProtectedHeader({ alg: "ES256" })
      .sign(await importJWK(signing));
    assert.equal((await jwtVerify(token, await importJWK(verifying))).payload.sub, "ann");
    await keepKeys(folder);
    assert.deepEqual(await setAt(keys.tickets), [signing]);
  });

  it("rotate in two steps: a key verifies everywhere before it signs, and three are kept", async () => {
    const keys = await keepKeys(folder);
    const [first] = await idsAt(keys.tickets);
    await addTicketKey(keys);
    const [signs, next] = await idsAt(keys.tickets);
    assert.equal(signs, first);
    assert.deepEqual(await idsAt(keys.ticketsPublic), [first, next]);
    await signWithNewest(keys);
    assert.deepEqual(await idsAt(keys.tickets), [next, first]);
    for (let turn = 0; turn < 3; turn += 1) {
      await addTicketKey(keys);
      await signWithNewest(keys);
    }
    const kept = await idsAt(keys.tickets);
    assert.equal(kept.length, 3);
    assert.ok(!kept.includes(first));
    assert.deepEqual(await idsAt(keys.ticketsPublic), kept);
  });

  async function setAt(path: string) {
    return (JSON.parse(await readFile(path, "utf8")) as { keys: Record<string, string>[] }).keys;
  }
  async function idsAt(path: string) {
    return (await setAt(path)).map(({ kid }) => kid);
  }
});

/** What each end was shown of the other, and why the server would refuse; rejects if the client refuses. */
async function handshake(server: CertificateFiles, client: CertificateFiles, servername = "localhost") {
  const read = async (files: CertificateFiles) => ({
    cert: await readFile(files.certificate),
    key: await readFile(files.key),
    ca: await readFile(files.ca),
    minVersion: "TLSv1.3" as const,
  });
  const listener = createServer({ ...(await read(server)), requestCert: true, rejectUnauthorized: false });
  listener.on("tlsClientError", () => {});
  listener.on("secureConnection", (socket: TLSSocket) => {
    socket.end(`${socket.authorizationError ?? "let in"} ${socket.getPeerX509Certificate()?.subjectAltName}`);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  try {
    const socket = connect({ ...(await read(client)), host: "127.0.0.1", port, servername });
    await once(socket, "secureConnect");
    const shown = socket.getPeerX509Certificate()?.subjectAltName ?? "";
    const protocol = socket.getProtocol();
    let said = "";
    for await (const chunk of socket) said += chunk;
    return { server: shown, client: said, protocol };
  } finally {
    listener.close();
  }
}
