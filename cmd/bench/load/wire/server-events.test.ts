import assert from "node:assert/strict";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { EventSchema, ServerFrameSchema } from "../../../../internal/gen/heddle/push/v1/frame_pb.js";
import { readEvents } from "./server-events.ts";

type Kind = NonNullable<MessageInitShape<typeof EventSchema>["kind"]>;

const id = Uint8Array.from({ length: 16 }, (_, at) => at);

function frameOf(...kinds: Kind[]): Uint8Array {
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events: kinds.map((kind) => ({ kind })) }));
}

/** What a sink hears of a frame, and how many events it is told of. */
function heard(frame: Uint8Array) {
  const said: string[] = [];
  const count = readEvents(frame, {
    onEntry: (clientId, seq) => said.push(`entry ${Buffer.from(clientId).toString("hex")} ${seq}`),
    onAccepted: (clientId, seq) => said.push(`accepted ${Buffer.from(clientId).toString("hex")} ${seq}`),
    onOther: (kind, bytes) => said.push(`${kind} of ${bytes.length}`),
  });
  return { said, count };
}

describe("Server events read by hand", () => {
  const hex = Buffer.from(id).toString("hex");
  const entry: Kind = {
    case: "entry",
    value: {
      threadId: new Uint8Array(16),
      seq: 70_000n,
      sender: "ann",
      clientId: id,
      ordinal: 9n,
      body: { kind: { case: "text", value: { text: "x".repeat(200) } } },
    },
  };
  const accepted: Kind = {
    case: "accepted",
    value: {
      clientId: id,
      threadId: new Uint8Array(16),
      seq: 3n,
      createdAtMs: 1_795_000_000_000n,
      recipientOffline: false,
    },
  };

  it("find id and seq of entries and outcomes, among others, in their order", () => {
    const { said, count } = heard(frameOf(accepted, { case: "pong", value: {} }, entry, entry));
    assert.deepEqual(said, [`accepted ${hex} 3`, "11 of 0", `entry ${hex} 70000`, `entry ${hex} 70000`]);
    assert.equal(count, 4);
  });

  it("hand on the bytes of everything else", () => {
    const receipt: Kind = {
      case: "receipt",
      value: { threadId: new Uint8Array(16), userId: "bob", deliveredSeq: 5n },
    };
    assert.deepEqual(heard(frameOf(receipt)).said, [`${EventSchema.field.receipt.number} of 25`]);
  });

  it("read nothing of an empty frame", () => {
    assert.deepEqual(heard(new Uint8Array(0)), { said: [], count: 0 });
  });
});
