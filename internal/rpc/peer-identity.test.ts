import assert from "node:assert/strict";
import type { PeerCertificate } from "node:tls";
import { serverCheck, servicesOf } from "./peer-identity.ts";

const certificate = (subjectaltname: string) => ({ subject: { CN: "" }, subjectaltname }) as PeerCertificate;

describe("A peer's certificate", () => {
  it("names the services of the mesh that it was made for, and nothing else counts", () => {
    assert.deepEqual(servicesOf(certificate("URI:spiffe://heddle/etcd, DNS:localhost")), ["etcd"]);
    assert.deepEqual(
      servicesOf(certificate("DNS:spiffe.heddle, URI:spiffe://other/etcd, IP Address:127.0.0.1")),
      [],
    );
    assert.deepEqual(servicesOf({}), []);
  });

  it("must be that of the service that was dialled, at the host that was dialled", () => {
    const check = serverCheck("etcd");
    assert.equal(check("localhost", certificate("URI:spiffe://heddle/etcd, DNS:localhost")), undefined);
    assert.equal(check("localhost", certificate("DNS:localhost")), undefined);
    assert.match(
      String(check("localhost", certificate("URI:spiffe://heddle/push, DNS:localhost"))),
      /of push, not of etcd/,
    );
    assert.match(
      String(check("elsewhere", certificate("URI:spiffe://heddle/etcd, DNS:localhost"))),
      /elsewhere/,
    );
  });
});
