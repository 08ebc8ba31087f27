import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { MeshCertificates } from "../../testing/mesh/programs/mesh-certificates.ts";
import { StopStack } from "../stop-stack.ts";
import { Certificates } from "./certificates.ts";
import { REREAD_MS } from "./watched-files.ts";

describe("The certificates of a program", () => {
  let folder: string;
  let made: MeshCertificates;
  const trusted = getCACertificates("default");
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-certificates-"));
    made = await MeshCertificates.make(join(folder, "certificates"));
  });
  afterEach(async () => {
    setDefaultCACertificates(trusted);
    await rm(folder, { recursive: true });
  });

  function push() {
    const clock = new FakeClock();
    const lines: { readonly level: string; readonly msg: string }[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const log = createLog({ level: "info", destination });
    const metrics = createMetrics({ process: false });
    const certificates = new Certificates(made.of("push"), {
      clock,
      log,
      metrics,
      stack: new StopStack(log),
    });
    return { clock, lines, metrics, certificates };
  }

  it("are read again when they change, and kept while what is written does not fit yet", async () => {
    const { clock, lines, certificates } = push();
    const before = certificates.tls.texts;
    const { key } = made.of("push");
    const old = await readFile(key, "utf8");
    await made.renew();
    const renewed = await readFile(key, "utf8");
    await writeFile(key, old);
    clock.advance(2 * REREAD_MS);
    assert.deepEqual(certificates.tls.texts, before);
    assert.deepEqual(
      lines.map(({ level }) => level),
      ["error"],
    );
    await writeFile(key, renewed);
    clock.advance(REREAD_MS);
    assert.equal(certificates.tls.texts.key, renewed);
    assert.match(lines[1]?.msg ?? "", /read again/);
  });

  it("refuse a start with another's key, by the settings' names", async () => {
    await writeFile(made.of("push").key, await readFile(made.of("message").key));
    assert.throws(push, /^SettingsError: HEDDLE_TLS_CERT .*HEDDLE_TLS_KEY .*cannot be used \(.*key/);
  });

  it("name who was refused, each once, and count them", async () => {
    const { lines, metrics, certificates } = push();
    const { refused } = certificates.admission("link", ["gateway"]);
    for (const service of ["message", "message", undefined]) refused(service);
    assert.equal(lines.length, 2);
    assert.match(await metrics.metrics(), /heddle_rpc_refused_connections_total\{listener="link"\} 3/);
  });

  it("bring their authority with them: the edge, where keys of user tokens may be, is trusted", async () => {
    const { certificate, key } = made.of("envoy");
    const server = createServer(
      { cert: await readFile(certificate), key: await readFile(key) },
      (_, response) => response.end("{}"),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await assert.rejects(fetch(url));
    push();
    assert.equal((await fetch(url)).status, 200);
    server.closeAllConnections();
    server.close();
  });
});
