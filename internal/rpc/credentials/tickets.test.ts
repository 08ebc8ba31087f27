import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { HeddleError } from "../../base/heddle-error.ts";
import { loadSigningKey, type SigningKey } from "./signing-key.ts";
import { authenticateTickets, TicketSigner } from "./tickets.ts";
import { authenticateUsers, DEV_ISSUER, localKeys, signUserToken } from "./user-tokens.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

const START_MS = 1_800_000_000_000;

describe("Tickets", () => {
  let folder: string;
  let key: SigningKey;
  let nowMs: number;
  const clock = { ...systemClock, nowMs: () => nowMs };
  const grant = {
    userId: "ann",
    deviceId: "phone",
    sessionId: Uint8Array.from({ length: 16 }, (_, at) => at),
    pushServer: "push",
    userTokenExpiresAtMs: START_MS + 3_600_000,
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-keys-"));
    key = await loadSigningKey(join(folder, "ticket.json"));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(() => {
    nowMs = START_MS;
  });

  const sign = async (changes: Partial<typeof grant> = {}) =>
    await new TicketSigner(() => key, clock).sign({ ...grant, ...changes });
  const check = (ticket: string, opensStream = false, pushServer = "push") =>
    authenticateTickets(localKeys([key.publicJwk]), pushServer, clock)(`Bearer ${ticket}`, opensStream);

  it("say who may open which session, and until when", async () => {
    const { ticket, expiresAtMs } = await sign();
    assert.equal(expiresAtMs, START_MS + 600_000);
    assert.deepEqual(await check(ticket), {
      userId: "ann",
      deviceId: "phone",
      sessionId: grant.sessionId,
      openByMs: START_MS + 60_000,
      expiresAtMs: START_MS + 600_000,
      userTokenExpiresAtMs: START_MS + 3_600_000,
    });
  });

  it("open a stream for a minute and serve Submit for ten", async () => {
    const { ticket } = await sign();
    nowMs += 59_999;
    await check(ticket, true);
    nowMs += 1;
    await refused(check(ticket, true), "TOKEN_EXPIRED");
    nowMs = START_MS + 599_000;
    await check(ticket);
    nowMs += 1_000;
    await refused(check(ticket), "TOKEN_EXPIRED");
  });

  it("never outlive the user token", async () => {
    const { ticket, expiresAtMs } = await sign({ userTokenExpiresAtMs: START_MS + 90_500 });
    assert.equal(expiresAtMs, START_MS + 90_000);
    nowMs = START_MS + 90_000;
    await refused(check(ticket), "TOKEN_EXPIRED");
  });

  it("are good on their own push server only", async () => {
    const { ticket } = await sign();
    assert.equal((await refused(check(ticket, true, "push-2"), "TOKEN_INVALID")).metadata.claim, "push");
  });

  it("are not verified again where they were signed, and stand for the same", async () => {
    const verified = new VerifiedTokens(clock);
    const signer = new TicketSigner(() => key, clock, { name: "push", verified });
    const { ticket } = await signer.sign({ ...grant, userTokenExpiresAtMs: START_MS + 90_500 });
    const known = authenticateTickets(() => assert.fail("it was verified"), "push", clock, verified);
    assert.deepEqual(await known(`Bearer ${ticket}`, true), await check(ticket, true));
    nowMs = START_MS + 60_000;
    await refused(known(`Bearer ${ticket}`, true), "TOKEN_EXPIRED");
    nowMs = START_MS + 90_000;
    await refused(check(ticket), "TOKEN_EXPIRED");
    const { ticket: other } = await signer.sign({ ...grant, pushServer: "push-2" });
    const keys = localKeys([key.publicJwk]);
    await refused(
      authenticateTickets(keys, "push", clock, verified)(`Bearer ${other}`, true),
      "TOKEN_INVALID",
    );
  });

  it("signed by another key are refused", async () => {
    const other = await loadSigningKey(join(folder, "other.json"));
    const { ticket } = await new TicketSigner(() => other, clock).sign(grant);
    assert.equal((await refused(check(ticket), "TOKEN_INVALID")).metadata.claim, "kid");
  });

  it("and user tokens do not pass for each other, even under one key", async () => {
    const { ticket } = await sign();
    const issuer = { issuer: DEV_ISSUER, audiences: ["heddle"], keys: localKeys([key.publicJwk]) };
    await refused(authenticateUsers(issuer, clock)(`Bearer ${ticket}`, false), "TOKEN_INVALID");
    const user = { userId: "ann", issuer: "heddle-gateway", audience: "heddle-push", nowMs, ttlS: 60 };
    await refused(check(await signUserToken(key, user)), "TOKEN_INVALID");
  });
});

async function refused(call: Promise<unknown>, reason: string): Promise<HeddleError> {
  const error = await call.then(
    () => assert.fail("it was let in"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeddleError, String(error));
  assert.equal(error.reasonName, reason);
  return error;
}
