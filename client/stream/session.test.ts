import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import type { OpenSessionRequest } from "../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import { ClientWorld, settled } from "../../internal/testing/worlds/client/client-world.ts";
import { Code, ErrorReason, HeddleError } from "../index.ts";

describe("A client's session", () => {
  it("acks within 200 ms or 32 events, and counts what it does not know", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    await world.pass(200);
    assert.deepEqual(
      stream.frames("ack").map(({ upTo }) => upTo),
      [2n],
    );
    stream.hear(...Array.from({ length: 31 }, () => ({ case: "pong", value: {} }) as const));
    await settled();
    assert.equal(stream.frames("ack").length, 1);
    stream.hear({ case: "neverHeardOf" as never, value: {} });
    await settled();
    assert.deepEqual(
      stream.frames("ack").map(({ upTo }) => upTo),
      [2n, 34n],
    );
    await world.client.close();
  });

  it("pings, and takes ten seconds of silence for the end", async () => {
    const world = await new ClientWorld().live();
    const [stream] = world.transport.streams;
    await world.pass(15_000);
    assert.equal(stream?.frames("ping").length, 1);
    stream?.hear({ case: "pong", value: {} });
    await settled();
    await world.pass(15_000);
    assert.equal(stream?.frames("ping").length, 2);
    await world.pass(9_999);
    assert.equal(stream?.isClosed, false);
    await world.pass(1);
    assert.equal(stream?.isClosed, true);
    assert.equal(world.client.state.reason?.kind, "no-answer");
    await world.client.close();
  });

  it("asks for a sign of life when a send has no answer for 4 s, and takes five seconds more of silence for the end", async () => {
    const world = await new ClientWorld().live();
    const [stream] = world.transport.streams;
    await world.client.send({ to: "bob" }, "hi");
    await settled();
    await world.pass(3_999);
    assert.equal(stream?.frames("ping").length, 0);
    await world.pass(1);
    assert.equal(stream?.frames("ping").length, 1);
    await world.pass(4_999);
    assert.equal(stream?.isClosed, false);
    await world.pass(1);
    assert.equal(stream?.isClosed, true);
    assert.equal(world.client.state.reason?.kind, "no-answer");
    await world.pass(200);
    const asked = world.transport.requests<OpenSessionRequest>("OpenSession");
    assert.deepEqual(
      asked.map(({ unansweredSessionId }) => unansweredSessionId.length),
      [0, 16],
      "another push server is asked for",
    );
    await world.client.close();
  });

  it("waits for an answer as long as the server says anything, and asks nothing once it has come", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const { item } = await world.client.send({ to: "bob" }, "hi");
    await settled();
    await world.pass(4_000);
    assert.equal(stream.frames("ping").length, 1);
    stream.hear({ case: "pong", value: {} });
    await settled();
    await world.pass(3_900);
    stream.hear({ case: "typing", value: {} });
    await settled();
    await world.pass(100);
    assert.equal(stream.frames("ping").length, 1, "it was heard 100 ms ago");
    const [threadId, clientId] = [fromHex(item.threadId), fromHex(item.clientId)];
    stream.hear({ case: "accepted", value: { threadId, clientId, seq: 1n } });
    await settled();
    await world.pass(6_900);
    assert.deepEqual([stream.frames("ping").length, stream.isClosed], [1, false]);
    await world.client.close();
  });

  it("gives up on a stream that never opens", async () => {
    const world = await new ClientWorld().start();
    await world.pass(10_000);
    assert.equal(world.transport.stream.isClosed, true);
    await world.client.close();
  });

  it("opens anew when the push server does not hold the session", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    stream.say = () =>
      Promise.reject(new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NO_SESSION, "gone"));
    await world.pass(200);
    await world.pass(200);
    assert.equal(world.transport.streams.length, 2);
    await world.client.close();
  });
});
