import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ServerFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import { Ticket } from "./ticket.ts";

const opened = create(ServerFrameSchema, {
  events: [{ kind: { case: "opened", value: { sessionId: new Uint8Array([7]), userId: "ann" } } }],
});

describe("Ticket", () => {
  let nowMs: number;
  let renewed: Uint8Array[];
  let ticket: Ticket;

  beforeEach(() => {
    nowMs = 0;
    renewed = [];
    const permit = { ticket: "first", grpcUrl: "", webUrl: "", expiresAtMs: 600_000 };
    const renew = (sessionId: Uint8Array) => {
      renewed.push(sessionId);
      return Promise.resolve({ ticket: `renewed ${renewed.length}`, expiresAtMs: nowMs + 600_000 });
    };
    ticket = new Ticket(permit, renew, () => nowMs);
  });

  it("is shown while it is good, and renewed for the same session a minute before it ends", async () => {
    ticket.notice(opened);
    nowMs = 539_000;
    assert.equal(await ticket.current(), "first");
    nowMs = 541_000;
    assert.equal(await ticket.current(), "renewed 1");
    assert.deepEqual(renewed, [new Uint8Array([7])]);
    nowMs = 541_000 + 541_000;
    assert.equal(await ticket.current(), "renewed 2");
  });

  it("is renewed once, however many need it", async () => {
    ticket.notice(opened);
    nowMs = 599_000;
    await Promise.all([ticket.current(), ticket.current()]);
    assert.equal(renewed.length, 1);
  });

  it("is renewed when the server says that it has run out, whatever the clock says", async () => {
    ticket.notice(opened);
    ticket.expire();
    assert.equal(await ticket.current(), "renewed 1");
  });

  it("stays as it is before the session has a name", async () => {
    nowMs = 700_000;
    assert.equal(await ticket.current(), "first");
  });
});
