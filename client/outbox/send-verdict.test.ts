import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import { judge, told } from "./send-verdict.ts";

const refusal = (code: Code, reason: ErrorReason, never = false) =>
  new HeddleError(code, reason, "no", { metadata: never ? { committed: "never" } : {} });

describe("The verdict on a refused send", () => {
  const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, UNAVAILABLE, RESOURCE_EXHAUSTED } = Code;

  it("is failed only if the server says that the send is not committed, of a first try", () => {
    assert.equal(judge(refusal(INVALID_ARGUMENT, ErrorReason.INVALID_FIELD, true), 1), "failed");
    assert.equal(judge(refusal(NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, true), 1), "failed");
    assert.equal(judge(refusal(NOT_FOUND, ErrorReason.THREAD_NOT_FOUND), 1), "seal");
    assert.equal(
      judge(refusal(NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, true), 2),
      "seal",
      "it may speak of the first",
    );
  });

  it("is to repeat it for everything that passes, known or unknown", () => {
    for (const code of [
      Code.UNAVAILABLE,
      Code.DEADLINE_EXCEEDED,
      Code.INTERNAL,
      Code.ABORTED,
      Code.CANCELLED,
      Code.UNKNOWN,
    ]) {
      assert.equal(judge(refusal(code, ErrorReason.UNSPECIFIED), 1), "again");
    }
    assert.equal(judge(refusal(UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, true), 1), "again");
    assert.equal(judge(refusal(RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, true), 1), "again");
    assert.equal(judge(refusal(UNAVAILABLE, ErrorReason.HAND_OFF_FAILED), 3), "again");
  });

  it("believes no status without our ErrorInfo", () => {
    assert.equal(judge(refusal(INVALID_ARGUMENT, ErrorReason.UNSPECIFIED), 1), "again");
    assert.equal(judge(refusal(NOT_FOUND, ErrorReason.UNSPECIFIED), 1), "again");
  });

  it("is to resolve what is too old to search for, or was sealed", () => {
    assert.equal(judge(refusal(FAILED_PRECONDITION, ErrorReason.BASE_TOO_OLD), 1), "seal");
    assert.equal(judge(refusal(FAILED_PRECONDITION, ErrorReason.SEALED, true), 4), "seal");
  });

  it("fails loudly for a client_id that was used for something else", () => {
    assert.equal(judge(refusal(Code.ALREADY_EXISTS, ErrorReason.CLIENT_ID_REUSED), 2), "failed");
  });

  it("is final where the part of the log is lost that would tell, and says so", () => {
    const lost = refusal(Code.DATA_LOSS, ErrorReason.LOG_DAMAGED);
    assert.equal(judge(lost, 3), "failed");
    assert.match(told(lost, 3).message, /may have been sent/);
    const never = refusal(Code.DATA_LOSS, ErrorReason.LOG_DAMAGED, true);
    assert.equal(told(never, 1).message, "no", "of a first try it is known");
    assert.match(told(never, 2).message, /may have been sent/);
  });

  it("does not blame the send for a session that is gone", () => {
    assert.equal(judge(refusal(FAILED_PRECONDITION, ErrorReason.NO_SESSION, true), 1), "again");
  });
});
