import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { AddressLimit } from "./address-limit.ts";

describe("The limit of a source address", () => {
  const refused = (error: unknown) =>
    error instanceof HeddleError &&
    error.reason === ErrorReason.OVERLOADED &&
    error.metadata.queue === "address";

  it("lets so many through at once, and then as many a minute", () => {
    const clock = new FakeClock();
    const limit = new AddressLimit(clock, 3);
    for (let n = 0; n < 3; n++) limit.spend("203.0.113.7");
    assert.throws(() => limit.spend("203.0.113.7"), refused);
    limit.spend("203.0.113.8");
    clock.advance(20_000);
    limit.spend("203.0.113.7");
    assert.throws(() => limit.spend("203.0.113.7"), refused);
  });

  it("counts IPv6 by /64", () => {
    const limit = new AddressLimit(new FakeClock(), 1);
    limit.spend("2001:db8:0:1::1");
    assert.throws(() => limit.spend("2001:0db8:0:1:ffff:0:0:9"), refused);
    limit.spend("2001:db8:0:2::1");
  });

  it("counts nothing of this machine, of an unknown source, or with 0", () => {
    const limit = new AddressLimit(new FakeClock(), 1);
    for (let n = 0; n < 3; n++) for (const source of ["127.0.0.1", "::1", ""]) limit.spend(source);
    const none = new AddressLimit(new FakeClock(), 0);
    for (let n = 0; n < 3; n++) none.spend("203.0.113.7");
  });
});
