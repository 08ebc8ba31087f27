import assert from "node:assert/strict";
import { deviceName } from "./device-name.ts";

describe("A device's name", () => {
  const own = "web-0123456789abcdef-1";
  for (const [id, name] of [
    [own, "This browser, tab 1"],
    ["web-0123456789abcdef-5", "This browser, tab 5"],
    ["web-fedc456789abcdef-1", "Browser fedc, tab 1"],
    ["web-fedc456789abcdef-0", "Browser fedc"],
    ["chat-0a1b2c3d4e5f", "Terminal 0a1b"],
    ["web-phone", "web-phone"],
    ["chat-room", "chat-room"],
  ] as const) {
    it(`of ${id} is ${name}`, () => assert.equal(deviceName(id, own), name));
  }

  it("is never “this browser” to a device of another kind", () => {
    assert.equal(deviceName(own, "phone"), "Browser 0123, tab 1");
  });
});
