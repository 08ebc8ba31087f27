import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  MessageService,
} from "../../gen/heddle/message/v1/message_service_pb.js";
import { callerNamed, startRpcListeners } from "../../testing/fakes/streams/rpc-listeners.ts";
import { allDecoded, withEncoded } from "./encoded-message.ts";
import { bind } from "./handlers.ts";

const entries = [1n, 2n].map((seq) => ({ seq, sender: "ann" }));
const whole = create(ListEntriesResponseSchema, { entries, head: { seq: 2n }, hasMore: true });

/** The same, its entries encoded. */
function partlyEncoded() {
  const bytes = toBinary(ListEntriesResponseSchema, create(ListEntriesResponseSchema, { entries }));
  const rest = create(ListEntriesResponseSchema, { head: { seq: 2n }, hasMore: true });
  return withEncoded(rest, bytes);
}

describe("A message of which a part is encoded", () => {
  it("is the whole message in binary form, and when it is decoded", () => {
    const bytes = toBinary(ListEntriesResponseSchema, partlyEncoded());
    assert.deepEqual(fromBinary(ListEntriesResponseSchema, bytes), whole);
    assert.deepEqual(allDecoded(ListEntriesResponseSchema, partlyEncoded()), whole);
    assert.equal(allDecoded(ListEntriesResponseSchema, whole), whole);
    assert.equal(withEncoded(whole, new Uint8Array(0)), whole);
  });

  it("reaches clients whole, in JSON as in binary", async () => {
    const none = async () => ({});
    const others = {
      send: none,
      resolveSend: none,
      compareHeld: async () => ({}),
      getHeads: none,
      listReceipts: none,
    };
    const handlers = { ...others, listEntries: async () => partlyEncoded() };
    const listeners = await startRpcListeners([
      bind(MessageService, async () => callerNamed("ann"), handlers),
    ]);
    const post = async (type: string, body: BodyInit) => {
      const url = `${listeners.web}/${MessageService.typeName}/ListEntries`;
      const response = await fetch(url, { method: "POST", headers: { "content-type": type }, body });
      assert.equal(response.status, 200);
      return new Uint8Array(await response.arrayBuffer());
    };
    const threadId = new Uint8Array(16);
    try {
      const request = toBinary(ListEntriesRequestSchema, create(ListEntriesRequestSchema, { threadId }));
      const binary = await post("application/proto", request);
      assert.deepEqual(fromBinary(ListEntriesResponseSchema, binary), whole);
      const json = await post(
        "application/json",
        JSON.stringify({ threadId: Buffer.from(threadId).toString("base64") }),
      );
      const said = JSON.parse(new TextDecoder().decode(json));
      assert.deepEqual(said, {
        entries: [1, 2].map((seq) => ({ seq: `${seq}`, sender: "ann" })),
        head: { seq: "2" },
        hasMore: true,
      });
    } finally {
      await listeners.close();
    }
  });
});
