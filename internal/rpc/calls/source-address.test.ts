import assert from "node:assert/strict";
import { plainAddress, sourceOf } from "./source-address.ts";

describe("The source address of a call", () => {
  const proxies = new Set(["10.0.0.1", "10.0.0.2"]);

  it("is the peer's, whatever a peer that is no named proxy says", () => {
    assert.equal(sourceOf("203.0.113.7:4711", "1.1.1.1", proxies), "203.0.113.7");
    assert.equal(sourceOf("203.0.113.7", "1.1.1.1", new Set()), "203.0.113.7");
  });

  it("is what named proxies say, each of the one before it, and no further", () => {
    assert.equal(sourceOf("10.0.0.1:80", "203.0.113.7", proxies), "203.0.113.7");
    assert.equal(sourceOf("10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2", proxies), "203.0.113.7");
    assert.equal(sourceOf("10.0.0.1", undefined, proxies), "10.0.0.1");
    assert.equal(sourceOf("10.0.0.1", "nonsense", proxies), "10.0.0.1");
  });

  it("is written without port, brackets, zone and the mapping of IPv4", () => {
    const written = [
      "[2001:DB8::1]:443",
      "ipv6:[2001:db8::1]:443",
      "2001:db8::1%eth0",
      "::ffff:10.0.0.1",
      "unix:x",
      "",
    ];
    assert.deepEqual(written.map(plainAddress), [
      "2001:db8::1",
      "2001:db8::1",
      "2001:db8::1",
      "10.0.0.1",
      "",
      "",
    ]);
  });
});
