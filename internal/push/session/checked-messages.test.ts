import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import type { Accepted } from "../../base/send.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { sendOf } from "../../testing/fakes/message/message-samples.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import type { Messages } from "../ports.ts";
import { CheckedMessages } from "./checked-messages.ts";
import type { Session } from "./session.ts";

/** A session of ann's phone, with what is heard and stored of it. */
function world() {
  const state = { isHeard: true, isRevoked: false, isStoreAway: false, hasSession: true };
  const seen: string[] = [];
  const messages = {
    send: (send, settle) => {
      seen.push("handed on");
      settle({ clientId: send.clientId } as Accepted);
    },
  } as Pick<Messages, "send"> as Messages;
  const checked = new CheckedMessages({
    messages,
    deadlines: new Deadlines(new FakeClock()),
    sessionOf: () => (state.hasSession ? ({ identity: { deviceId: "phone" } } as Session) : undefined),
    hasHeard: () => state.isHeard,
    isRevoked: async (userId, deviceId) => {
      seen.push(`looked at ${userId} ${deviceId}`);
      if (state.isStoreAway) throw storeUnavailable("thread");
      return state.isRevoked;
    },
    revoked: (userId, deviceId) => seen.push(`ended ${userId} ${deviceId}`),
  });
  const send = async () => {
    checked.send(sendOf(), (outcome) => {
      seen.push(outcome instanceof HeddleError ? ErrorReason[outcome.reason] : "accepted");
    });
    await quiet();
    return seen.splice(0);
  };
  return { state, send };
}

describe("A send of a session", () => {
  it("is handed on at once while sign-outs are heard of", async () => {
    const { send } = world();
    assert.deepEqual(await send(), ["handed on", "accepted"]);
  });

  it("waits for a look at its device while none may be heard of", async () => {
    const { state, send } = world();
    state.isHeard = false;
    assert.deepEqual(await send(), ["looked at ann phone", "handed on", "accepted"]);
    state.isRevoked = true;
    assert.deepEqual(await send(), ["looked at ann phone", "ended ann phone", "DEVICE_REVOKED"]);
    state.isStoreAway = true;
    assert.deepEqual(await send(), ["looked at ann phone", "STORE_UNAVAILABLE"]);
  });

  it("that a Submit brought without a session was looked at there", async () => {
    const { state, send } = world();
    state.isHeard = false;
    state.hasSession = false;
    assert.deepEqual(await send(), ["handed on", "accepted"]);
  });
});
