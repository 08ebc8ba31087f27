import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError } from "../../client/index.ts";
import { ClientWorld } from "../../internal/testing/worlds/client/client-world.ts";
import { connectionProblem } from "./exit-code.ts";

describe("The line that says why there is no connection", () => {
  const settings = { grpcUrl: "http://127.0.0.1:9", userId: "ann" };
  /** What is said after the gateway has refused a session. */
  const lineAfter = async (error: HeddleError) => {
    const world = new ClientWorld();
    world.transport.answers.OpenSession = () => {
      throw error;
    };
    await world.start();
    const { message, exitCode } = connectionProblem(world.client.state, settings);
    await world.client.close();
    return [exitCode, message];
  };

  it("tells a Heddle that answers and cannot serve from one that is not there", async () => {
    const { UNAVAILABLE } = Code;
    const away = new HeddleError(
      UNAVAILABLE,
      ErrorReason.STORE_UNAVAILABLE,
      "the thread store cannot serve now",
    );
    assert.deepEqual(await lineAfter(away), [
      3,
      "Heddle answers at http://127.0.0.1:9, but does not serve: the thread store cannot serve now; it serves again by itself, try later",
    ]);
    const none = new HeddleError(UNAVAILABLE, ErrorReason.UNSPECIFIED, "connect ECONNREFUSED");
    assert.deepEqual(await lineAfter(none), [
      3,
      "no Heddle answers at http://127.0.0.1:9; start one with: make run",
    ]);
  });
});
