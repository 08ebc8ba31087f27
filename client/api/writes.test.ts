import assert from "node:assert/strict";
import { hex } from "../../internal/base/ids.ts";
import type { RevokeDeviceRequest } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import {
  ClientWorld,
  settled,
  THREAD,
  unavailable,
} from "../../internal/testing/worlds/client/client-world.ts";

describe("A client's calls that change something", () => {
  it("revoke a device, under one request_id, though the first answer is lost", async () => {
    const world = await new ClientWorld().live();
    let tries = 0;
    world.transport.answers.RevokeDevice = () => {
      if (++tries === 1) throw unavailable;
      return {};
    };
    const revoked = world.client.revokeDevice("lost-phone");
    await settled();
    await world.pass(1_000);
    await revoked;
    const ids = world.transport
      .requests<RevokeDeviceRequest>("RevokeDevice")
      .map(({ requestId }) => hex(requestId));
    assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
    await world.client.close();
  });

  it("set a value once, and tell that the outcome is not known: a repeat could undo a newer choice", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.SetMuted = () => {
      throw unavailable;
    };
    await assert.rejects(world.client.setMuted(THREAD, true));
    assert.equal(world.transport.requests("SetMuted").length, 1);
    await world.client.close();
  });
});
