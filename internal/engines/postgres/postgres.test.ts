import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { isAlive } from "../child.ts";
import { postgres, type RunningPostgres } from "./postgres.ts";

const QUICK = { fsync: "off" };

describe("The engine Postgres", function () {
  this.timeout(60_000);
  let folder: string;
  let server: RunningPostgres | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-engine-"));
    await chmod(folder, 0o711); // Postgres's user passes.
  });
  afterEach(async () => {
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  async function ask(connection: string | object, text: string) {
    const client = new Client(connection);
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }

  it("serves a database of a plain role, and keeps it, its password and its port over restarts", async () => {
    const first = await postgres.start({ folder, settings: QUICK });
    server = first;
    await ask(first.url, "CREATE TABLE kept (text text)");
    await ask(first.url, "INSERT INTO kept VALUES ('hi')");
    await assert.rejects(ask(first.url, "CREATE ROLE other"), /permission denied/);
    await assert.rejects(ask(first.url.replace(/:[^:@]+@/, ":wrong@"), "SELECT"), /password/);
    await first.stop();
    await first.stop();
    const second = await postgres.start({ folder, settings: QUICK, port: first.tcp.port });
    server = second;
    assert.equal(second.url, first.url);
    assert.deepEqual(await ask(second.url, "SELECT text FROM kept"), [{ text: "hi" }]);
    assert.equal((await stat(join(folder, "password"))).mode & 0o777, 0o600);
  });

  it("tells of an end that nobody asked for, and is started again where it was", async () => {
    const running = await postgres.start({ folder, settings: QUICK });
    server = running;
    const ended = new Promise((resolve) => running.onEnded(resolve));
    const first = running.processes.get("postgres");
    first?.kill("SIGKILL");
    assert.deepEqual(await ended, { name: "postgres", code: null, signal: "SIGKILL", wasAsked: false });
    await running.restart("postgres");
    assert.deepEqual(await ask(running.url, "SELECT 1 AS one"), [{ one: 1 }]);
    const last = running.processes.get("postgres");
    assert.ok(last && last.pid !== first?.pid && isAlive(last.pid));
  });

  it("keeps root's data elsewhere where Postgres's user may not enter", async function () {
    if (process.getuid?.() !== 0) return this.skip();
    await chmod(folder, 0o700);
    const running = await postgres.start({ folder: join(folder, "deep"), settings: QUICK });
    server = running;
    assert.match(running.data, /^\/var\/lib\/heddle\/postgres-/);
    assert.deepEqual(await ask(running.url, "SELECT 1 AS one"), [{ one: 1 }]);
    await running.stop();
    const again = await postgres.start({ folder: join(folder, "deep"), settings: QUICK });
    server = again;
    assert.equal(again.data, running.data);
    await again.stop();
    await rm(join(again.data, ".."), { recursive: true });
  });
});
