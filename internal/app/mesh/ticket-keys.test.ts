import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JWK } from "jose";
import { ErrorReason } from "../../base/heddle-error.ts";
import { createLog } from "../../base/log.ts";
import { ticketKeySetOf } from "../../rpc/credentials/ticket-key-set.ts";
import { authenticateTickets, TicketSigner } from "../../rpc/credentials/tickets.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { newKey } from "../../testing/mesh/programs/test-mesh.ts";
import { checkingTicketKeys, signingTicketKeys, watchTicketKeys } from "./ticket-keys.ts";
import { REREAD_MS } from "./watched-files.ts";

describe("The keys of tickets", () => {
  let folder: string;
  let clock: FakeClock;
  let lines: { readonly msg: string; readonly why?: string }[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-ticket-keys-"));
    clock = new FakeClock();
    lines = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const path = () => join(folder, "keys.json");
  const write = (...keys: JWK[]) => writeFile(path(), JSON.stringify({ keys }));
  const publicHalf = ({ d: _, ...half }: JWK): JWK => half;
  const around = () => ({
    clock,
    log: createLog({
      level: "info",
      destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
    }),
  });

  function gateway() {
    const keys = watchTicketKeys(path(), around(), signingTicketKeys);
    const signer = new TicketSigner(() => keys.value.signing, clock);
    const grant = {
      userId: "ann",
      deviceId: "phone",
      sessionId: new Uint8Array(16),
      pushServer: "push-1",
      userTokenExpiresAtMs: clock.nowMs() + 3_600_000,
    };
    return { keys, sign: async () => `Bearer ${(await signer.sign(grant)).ticket}` };
  }

  function pushServer() {
    const keys = watchTicketKeys(path(), around(), checkingTicketKeys);
    const check = authenticateTickets((header, token) => keys.value.checking(header, token), "push-1", clock);
    return { keys, takes: async (ticket: string) => (await check(ticket, true)).userId };
  }

  it("are shared: what one gateway signs every push server takes, through each step of a rotation", async () => {
    const [old, next] = [await newKey(), await newKey()];
    await write(old);
    const [one, other, push] = [gateway(), gateway(), pushServer()];
    const before = await one.sign();
    assert.equal(await push.takes(before), "ann");
    for (const step of [
      [old, next],
      [next, old],
    ]) {
      await write(...step);
      clock.advance(REREAD_MS);
      for (const from of [one, other]) assert.equal(await push.takes(await from.sign()), "ann");
    }
    assert.equal(await push.takes(before), "ann");
    assert.equal(
      one.keys.value.publicJwks[0]?.kid,
      ticketKeySetOf(JSON.stringify({ keys: [next] })).publicJwks[0]?.kid,
    );
    const late = await one.sign();
    await write(publicHalf(next));
    push.keys.reread();
    assert.equal(await push.takes(late), "ann", "public halves are enough to verify");
  });

  it("that are taken away verify nothing new", async () => {
    const [old, next] = [await newKey(), await newKey()];
    await write(old);
    const [from, push] = [gateway(), pushServer()];
    const ticket = await from.sign();
    await write(next);
    clock.advance(REREAD_MS);
    await assert.rejects(push.takes(ticket), {
      reason: ErrorReason.TOKEN_INVALID,
      metadata: { claim: "kid" },
    });
  });

  it("go on to count while the file is none, which is told once and shows nothing of it", async () => {
    const key = await newKey();
    await write(key);
    const [from, push] = [gateway(), pushServer()];
    for (const text of [
      "",
      "{",
      '{"keys":[]}',
      '{"keys":[{"kty":"oct","k":"s3cret"}]}',
      `{"keys":[${JSON.stringify({ ...key, x: "AA" })}]}`,
    ]) {
      await writeFile(path(), text);
      for (let times = 0; times < 3; times++) clock.advance(REREAD_MS);
      assert.equal(await push.takes(await from.sign()), "ann");
    }
    await rm(path());
    clock.advance(REREAD_MS);
    assert.equal(new Set(lines.map(({ why }) => why)).size, 4, "no JSON, no set, no key, no file");
    assert.equal(lines.length, 8, "each once, by each of the two");
    assert.ok(!JSON.stringify(lines).includes("s3cret"));
    assert.equal(await push.takes(await from.sign()), "ann");
  });

  it("refuse a start without them, by the setting's name", async () => {
    await assert.rejects(async () => gateway(), /^SettingsError: HEDDLE_TICKET_KEYS_FILE: .*ENOENT/);
    await write(publicHalf(await newKey()));
    await assert.rejects(async () => gateway(), /HEDDLE_TICKET_KEYS_FILE .*no private half/);
  });
});
