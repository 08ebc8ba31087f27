import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport as RpcTransport } from "@connectrpc/connect";
import { ErrorReason } from "../../internal/base/heddle-error.ts";
import { ErrorInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { type ClientFrame, ClientFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import { SubmitResponse_OutcomeSchema } from "../../internal/gen/heddle/push/v1/push_service_pb.js";
import { SubmitLane } from "./submit-lane.ts";
import { Ticket } from "./ticket.ts";

interface Submit {
  readonly frames: readonly ClientFrame[];
  readonly answer: (error?: ConnectError) => void;
}

const receipt = (readSeq: number): ClientFrame =>
  create(ClientFrameSchema, { kind: { case: "receipt", value: { readSeq: BigInt(readSeq) } } });

const seqOf = ({ kind }: ClientFrame) => (kind.case === "receipt" ? Number(kind.value.readSeq) : 0);

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("SubmitLane", () => {
  let submits: Submit[];
  let lane: SubmitLane;
  let ticket: Ticket;

  beforeEach(() => {
    submits = [];
    const permit = { ticket: "t", grpcUrl: "", webUrl: "", expiresAtMs: Number.MAX_SAFE_INTEGER };
    ticket = new Ticket(permit, () => Promise.reject(new Error("not needed")));
    const unary = (
      _m: unknown,
      _s: unknown,
      _t: unknown,
      _h: unknown,
      { frames }: { frames: ClientFrame[] },
    ) =>
      new Promise((resolve, reject) => {
        const outcome = create(SubmitResponse_OutcomeSchema, { kind: { case: "taken", value: {} } });
        const message = { outcomes: frames.map(() => outcome) };
        submits.push({ frames, answer: (error) => (error ? reject(error) : resolve({ message })) });
      });
    const rpc = { unary } as unknown as RpcTransport;
    lane = new SubmitLane({ rpc, ticket, signal: new AbortController().signal, width: 1 });
  });

  it("joins what has come in the meantime, in order, and gives each frame its outcome", async () => {
    const said = [1, 2].map((seq) => lane.say(receipt(seq)));
    await settled();
    said.push(lane.say(receipt(3)), lane.say(receipt(4)));
    await settled();
    assert.deepEqual(
      submits.map(({ frames }) => frames.map(seqOf)),
      [[1, 2]],
    );
    submits[0]?.answer();
    await settled();
    assert.deepEqual(submits[1]?.frames.map(seqOf), [3, 4]);
    submits[1]?.answer();
    for (const outcome of await Promise.all(said)) assert.equal(outcome.kind.case, "taken");
  });

  it("keeps a Submit within 256 frames and 64 KiB", async () => {
    const small = Array.from({ length: 300 }, (_, at) => lane.say(receipt(at + 1)));
    await settled();
    submits[0]?.answer();
    await settled();
    submits[1]?.answer();
    await Promise.all(small);
    assert.deepEqual(
      submits.map(({ frames }) => frames.length),
      [256, 44],
    );
    const body = { kind: { case: "text", value: { text: "x".repeat(8_192) } } } as const;
    const large = create(ClientFrameSchema, { kind: { case: "send", value: { body } } });
    const said = Array.from({ length: 9 }, () => lane.say(large));
    await settled();
    assert.equal(submits[2]?.frames.length, 7);
    submits[2]?.answer();
    await settled();
    submits[3]?.answer();
    await Promise.all(said);
  });

  it("never repeats a Submit: what fails has an unknown outcome", async () => {
    const said = lane.say(receipt(1));
    await settled();
    submits[0]?.answer(new ConnectError("away", 14));
    await assert.rejects(said, { code: 14, reason: ErrorReason.UNSPECIFIED });
    await settled();
    assert.equal(submits.length, 1);
  });

  it("has the reason of an error, and renews a ticket that has run out", async () => {
    let isExpired = false;
    ticket.expire = () => {
      isExpired = true;
    };
    const said = lane.say(receipt(1));
    await settled();
    const error = new ConnectError("no", Code.Unauthenticated);
    error.details.push({ desc: ErrorInfoSchema, value: { domain: "heddle", reason: "TOKEN_EXPIRED" } });
    submits[0]?.answer(error);
    await assert.rejects(said, { reason: ErrorReason.TOKEN_EXPIRED });
    assert.equal(isExpired, true);
  });
});
