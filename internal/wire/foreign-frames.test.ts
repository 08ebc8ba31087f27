import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { fromHex } from "../base/ids.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { type ClientFrame, ClientFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { plainAck, plainSend } from "./plain-frames.ts";

const folder = join(import.meta.dirname, "foreign-frames");

/** What the frames say, by name. */
const said = new Map<string, ClientFrame>(
  Object.entries(
    JSON.parse(readFileSync(join(folder, "frames.json"), "utf8")) as Record<string, JsonValue>,
  ).map(([name, frame]) => [name, fromJson(ClientFrameSchema, frame)]),
);

/** The same frames as one library wrote them. */
function writtenBy(library: string): Map<string, Uint8Array> {
  const lines = readFileSync(join(folder, `${library}.txt`), "utf8")
    .trimEnd()
    .split("\n");
  return new Map(
    lines.map((line) => line.split(" ")).map(([name = "", bytes]) => [name, fromHex(bytes ?? "")]),
  );
}

for (const library of ["go", "python", "java", "protobuf-es"]) {
  describe(`Frames of a client in ${library}`, () => {
    const frames = writtenBy(library);

    it("are all there, and say to the general decoder what was meant", () => {
      assert.deepEqual([...frames.keys()].sort(), [...said.keys()].sort());
      for (const [name, bytes] of frames) {
        assert.deepEqual(fromBinary(ClientFrameSchema, bytes), said.get(name), name);
      }
    });

    it("are read where they stand, every send and ack, with the body's bytes that any other client's have", () => {
      for (const [name, { kind }] of said) {
        const bytes = frames.get(name) ?? new Uint8Array(0);
        if (kind.case === "ack") assert.equal(plainAck(bytes), Number(kind.value.upTo), name);
        if (kind.case !== "send") continue;
        const send = plainSend(bytes, "ann", "ff");
        assert.ok(send, `${name} was left to the general decoder`);
        assert.ok(kind.value.body && send.body instanceof Uint8Array);
        assert.deepEqual(Buffer.from(send.body), Buffer.from(toBinary(BodySchema, kind.value.body)), name);
      }
    });
  });
}
