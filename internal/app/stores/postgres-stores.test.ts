import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { DatabaseError } from "../../store/database-error.ts";
import { type PlainDatabase, plainDatabase } from "../../testing/postgres/plain-database.ts";
import { type OwnPostgres, ownPostgres } from "../../testing/postgres/postgres-server.ts";
import { type Heddle, startHeddle } from "../all-in-one.ts";
import { developmentConfig, readConfig } from "../settings/config.ts";

/** Its server is paused in a test: none that others use. */
describe("Heddle in one process on Postgres", function () {
  this.timeout("3m"); // Some 20 s; others that run make starts slow.
  let server: OwnPostgres;
  let database: PlainDatabase;
  let folders: string;
  let data: string;
  let running: Heddle[];
  let lines: string[];
  before(async () => {
    server = await ownPostgres();
  });
  after(() => server.stop());
  beforeEach(async () => {
    database = await plainDatabase(server);
    folders = await mkdtemp(join(tmpdir(), "heddle-postgres-app-"));
    data = join(folders, "data");
    running = [];
    lines = [];
  });
  afterEach(async () => {
    for (const heddle of running) await heddle.close();
    await database.client.end();
    await rm(folders, { recursive: true });
  });

  const start = async (databaseUrl: string | undefined, dataDir = data, databaseWaitMs = 0) => {
    const config = developmentConfig(dataDir, { drainMs: 0, databaseUrl, databaseWaitMs, logLevel: "info" });
    const heddle = await startHeddle(config, {
      logDestination: { write: (line: string) => void lines.push(line) },
    });
    running.push(heddle);
    return heddle;
  };
  const stop = async () => {
    for (const heddle of running.splice(0)) await heddle.close();
  };
  const readiness = async ({ adminUrl }: Heddle) => {
    const response = await fetch(`${adminUrl}/readyz`);
    return { status: response.status, text: (await response.text()).trim() };
  };
  const readinessIs = async (heddle: Heddle, status: number) => {
    for (;;) {
      const at = await readiness(heddle);
      if (at.status === status) return at.text;
    }
  };
  /** Why a start is refused, as a person reads it; whether it may be usable later. */
  const refusal = async (url: string | undefined, dataDir = data) => {
    const error = await start(url, dataDir).then(
      () => assert.fail("it started"),
      (thrown) => thrown,
    );
    assert.ok(error instanceof DatabaseError || error instanceof DataFolderError, String(error.stack));
    assert.ok(!error.message.includes("\n") && !error.message.includes("s3cret"), error.message);
    return { message: error.message, isAway: error instanceof DatabaseError && error.isAway };
  };

  it("is a plain role's over TCP with its password, and leaves only keys and ids in the data folder", async () => {
    const { rows } = await database.client.query("SELECT rolsuper FROM pg_roles WHERE rolname = $1", [
      database.role,
    ]);
    assert.deepEqual(rows, [{ rolsuper: false }]);
    const heddle = await start(database.url);
    const at = `127.0.0.1:${server.tcp.port}/${database.name}`;
    assert.match(heddle.engine ?? "", new RegExp(`^Postgres \\d+\\.\\d+ at ${at}$`));
    assert.deepEqual(await readiness(heddle), { status: 200, text: `ready, on ${heddle.engine}` });
    assert.deepEqual((await readdir(data)).sort(), ["deployment-id", "keys", "version.json"]);
    await stop();
    await start(database.url);
    assert.ok(!lines.join().includes("s3cret"));
  });

  it("says what to do where the database cannot be used", async () => {
    const { url } = database;
    assert.match(
      (await refusal(url.replace("s3cret", "s3cret2"))).message,
      /password authentication failed.*HEDDLE_DATABASE_URL/,
    );
    assert.match((await refusal(url.replace(":s3cret", ""))).message, /asks for a password, and none is set/);
    assert.match(
      (await refusal(url.replace(/[^/]+$/, "nowhere"))).message,
      /"nowhere" does not exist: make that database/,
    );
    assert.match(
      (await refusal(`${url}?sslmode=verify-full&sslrootcert=/none/ca.pem`)).message,
      /names the file \/none\/ca\.pem, which cannot be read \(ENOENT\): mend sslrootcert/,
    );
    const nobody = url.replace(`:${server.tcp.port}`, ":1");
    const away = await refusal(nobody);
    assert.match(away.message, /ECONNREFUSED.*start it, or mend HEDDLE_DATABASE_URL/);
    assert.equal(away.isAway, true);
    await database.client.query("CREATE TABLE thread (mine int)");
    assert.match((await refusal(url)).message, /"thread" already exists: name a database of Heddle's own/);
    await database.client.query("DROP TABLE thread; ALTER SCHEMA public OWNER TO heddle");
    await database.client.query(`REVOKE CREATE ON SCHEMA public FROM ${database.role}, public`);
    assert.match(
      (await refusal(url)).message,
      /permission denied for schema public: give the role the rights/,
    );
    const narrow = await plainDatabase(server, "SQL_ASCII");
    assert.match((await refusal(narrow.url)).message, /encoded in SQL_ASCII: make one with ENCODING 'UTF8'/);
    await narrow.client.end();
  });

  it("refuses tables of a newer program", async () => {
    await start(database.url);
    await stop();
    await database.client.query("UPDATE migration SET steps = steps + 1 WHERE name = 'message'");
    assert.match(
      (await refusal(database.url)).message,
      /tables of message were made by a newer Heddle: start that one/,
    );
  });

  it("refuses data and keys of two deployments, and an empty database where there was data", async () => {
    await start(database.url);
    const other = await plainDatabase(server);
    await start(other.url, join(folders, "other"));
    await stop();
    assert.match(
      (await refusal(other.url)).message,
      /is of deployment [0-9a-f]{32}, and .*deployment-id says/,
    );
    await other.client.query("DELETE FROM deployment");
    assert.match((await refusal(other.url)).message, /has no data, and .*deployment-id says/);
    await other.client.end();
    const id = await readFile(join(data, "deployment-id"), "utf8");
    await rm(join(data, "deployment-id"));
    await start(database.url);
    assert.equal(await readFile(join(data, "deployment-id"), "utf8"), id, "it is put back");
  });

  it("hides no rows of the data folder behind a database, and makes none where they are in one", async () => {
    await start(database.url);
    await stop();
    assert.match(
      (await refusal(undefined)).message,
      /its rows and messages are in Postgres: set HEDDLE_DATABASE_URL/,
    );
    assert.deepEqual((await readdir(data)).sort(), ["deployment-id", "keys", "version.json"]);
    const embedded = join(folders, "embedded");
    await start(undefined, embedded);
    await stop();
    assert.match(
      (await refusal(database.url, embedded)).message,
      /is there, and HEDDLE_DATABASE_URL is set: leave that out/,
    );
  });

  it("is alone on its database", async () => {
    await start(database.url);
    const second = await refusal(database.url, join(folders, "second"));
    assert.match(
      second.message,
      /another Heddle serves the database .*\(from 127\.0\.0\.1, since .*\): stop that one/,
    );
    await stop();
    await start(database.url);
  });

  it("waits for a database that starts", async () => {
    await server.pause();
    const starting = start(database.url, data, 30_000);
    while (!lines.some((line) => line.includes("ECONNREFUSED"))) await new Promise(setImmediate);
    await server.resume();
    database.client = await database.connect();
    await readinessIs(await starting, 200);
  });

  it("says that the database is away, and serves again when it is back", async () => {
    const heddle = await start(database.url);
    await server.pause();
    assert.match(await readinessIs(heddle, 503), /^Postgres at 127\.0\.0\.1:.*: start it/);
    assert.match(await heddle.metrics.metrics(), /heddle_store_down\{store="postgres"\} 1/);
    await server.resume();
    database.client = await database.connect();
    await readinessIs(heddle, 200);
    const told = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.equal(told.filter((msg) => msg === "store stopped serving").length, 1);
    assert.equal(told.filter((msg) => msg === "store serves again").length, 1);
    const second = await refusal(database.url, join(folders, "second"));
    assert.match(second.message, /another Heddle serves/, "it has taken the database again");
  });

  it("is over when the database is of another history, or another program has taken it", async () => {
    const first = await start(database.url);
    await database.client.query("UPDATE meta SET value = value + 1 WHERE name = 'history'");
    assert.match(await first.over, /of another history: a standby was promoted, or a copy was put back/);
    await stop();
    const second = await start(database.url);
    await database.client.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    await database.client.query("SELECT pg_advisory_lock(hashtext('heddle-program'))");
    assert.match(await second.over, /another Heddle serves this database now/);
  });

  it("has no backup of its own, and says whose to use", async () => {
    const heddle = await start(database.url);
    const key = await readFile(join(data, "keys/admin"), "utf8");
    const response = await fetch(`${heddle.adminUrl}/backup`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.trim()}` },
      body: JSON.stringify({ folder: join(folders, "copy") }),
    });
    assert.match(await response.text(), /are in Postgres: copy the database with Postgres's own tools/);
  });

  it("prints no warning beside the log where TLS is asked for", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    try {
      for (const mode of ["require", "prefer", "verify-ca"])
        assert.match(
          (await refusal(`${database.url}?sslmode=${mode}`)).message,
          /does not support SSL connections/,
        );
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(warnings, []);
    } finally {
      process.off("warning", note);
    }
  });

  it("takes the URL from a file", async () => {
    const path = join(folders, "url");
    await writeFile(path, `${database.url}\n`);
    assert.equal(readConfig({ HEDDLE_DATABASE_URL_FILE: path }, false).config.databaseUrl, database.url);
    assert.throws(
      () => readConfig({ HEDDLE_DATABASE_URL: "mysql://app:s3cret@db/x" }, false),
      /write postgres:/,
    );
  });
});
