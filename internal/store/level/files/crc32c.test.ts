import assert from "node:assert/strict";
import { crc32c, maskCrc } from "./crc32c.ts";

describe("CRC-32C", () => {
  it("gives the values of RFC 3720, appendix B.4", () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e);
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  });

  it("goes on where it stopped", () => {
    const bytes = Buffer.from("one text in two pieces, of which neither is a multiple of eight");
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes));
    }
  });

  it("is masked as LevelDB does it", () => {
    const crc = crc32c(Buffer.from("foo"));
    assert.notEqual(maskCrc(crc), crc);
    const turned = (maskCrc(crc) - 0xa282ead8) >>> 0;
    assert.equal(((turned >>> 17) | (turned << 15)) >>> 0, crc);
  });
});
