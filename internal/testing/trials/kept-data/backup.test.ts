import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { hex, newUuid } from "../../../base/ids.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { ThreadService } from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import { JsonChat } from "../programs/chat-programs.ts";
import { type Addresses, devTokens, HeddleProcess, ROOT } from "../programs/heddle-process.ts";

const USERS = ["ann", "bob", "cyd", "dan", "eve", "fay"];
/** Acknowledged messages before the backup begins, and after it has ended. */
const LOAD = 300;

interface Acknowledged {
  readonly userId: string;
  readonly threadId: Uint8Array;
  readonly seq: number;
  readonly text: string;
}

interface Caller {
  readonly messages: Client<typeof MessageService>;
  readonly threads: Client<typeof ThreadService>;
}

/** Users who write to one another, in old threads and new ones, and make groups all the time. */
class Load {
  readonly acknowledged: Acknowledged[] = [];
  readonly #callers: ReadonlyMap<string, Caller>;
  #isOn = true;
  #wake = () => {};
  #sent = 0;

  constructor(callers: ReadonlyMap<string, Caller>) {
    this.#callers = callers;
  }

  /** Resolves when it was told to stop and all is answered. */
  async run(): Promise<void> {
    await Promise.all([...this.#callers.keys()].flatMap((user) => [this.#talk(user), this.#talk(user)]));
  }

  stop(): void {
    this.#isOn = false;
  }

  /** Resolves when so many more are acknowledged. */
  async more(count: number): Promise<void> {
    const target = this.acknowledged.length + count;
    while (this.acknowledged.length < target) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #talk(userId: string): Promise<void> {
    const { threads } = this.#callers.get(userId) ?? assert.fail();
    let group = new Uint8Array(0);
    for (let turn = 0; this.#isOn; turn++) {
      // Each group has its maker and a user of its own, that nobody else has heard of.
      if (turn % 10 === 0) {
        const userIds = [`guest-${userId}-${turn}`];
        const made = await threads.createGroup({ name: "group", userIds, requestId: newUuid(Date.now()) });
        group = new Uint8Array(made.thread?.threadId ?? []);
      }
      const to = turn % 7 === 0 ? `new-${userId}-${turn}` : (USERS[turn % USERS.length] ?? "");
      const isGroup = turn % 3 === 0 || to === userId;
      await this.#send(
        userId,
        isGroup ? { case: "threadId", value: group } : { case: "toUserId", value: to },
      );
    }
  }

  async #send(
    userId: string,
    target: { case: "threadId"; value: Uint8Array } | { case: "toUserId"; value: string },
  ): Promise<void> {
    this.#sent += 1;
    const text = `${userId} ${this.#sent}`;
    const { messages } = this.#callers.get(userId) ?? assert.fail();
    const body = { kind: { case: "text" as const, value: { text } } };
    const { threadId, seq } = await messages.send({
      target,
      clientId: newUuid(Date.now()),
      attempt: 1,
      body,
    });
    this.acknowledged.push({ userId, threadId, seq: Number(seq), text });
    this.#wake();
  }
}

describe("A backup under load", function () {
  this.timeout("180s");
  let base: string;
  let data: string;
  let heddle: HeddleProcess | undefined;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-backup-"));
    data = join(base, "data");
  });
  afterEach(async () => {
    await heddle?.stop("SIGKILL");
    await rm(base, { recursive: true });
  });

  const callersOf = async (webUrl: string) => {
    const tokens = await devTokens(webUrl, USERS);
    return new Map(USERS.map((user) => [user, callerOf(webUrl, tokens[user] ?? "")]));
  };
  const admin = (...args: string[]) => {
    const host = new URL(heddle?.addresses.adminUrl ?? "http://127.0.0.1:9").host;
    const env = { ...process.env, HEDDLE_DATA_DIR: data, HEDDLE_ADMIN_ADDR: host };
    return promisify(execFile)(join(ROOT, "bin/heddle"), ["admin", ...args], { env });
  };

  it("is of one moment: put back, it starts, has all that was acknowledged before, and goes on", async () => {
    heddle = await HeddleProcess.start(data);
    const { addresses } = heddle;
    const load = new Load(await callersOf(addresses.webUrl));
    const running = load.run();
    await load.more(LOAD);
    const before = [...load.acknowledged];
    const { stdout } = await admin("backup", join(base, "copy"));
    await load.more(LOAD);
    load.stop();
    await running;
    assert.match(stdout, /checked and synced; writes waited for \d+ ms/);

    // The drill of docs/backup.md, after the worst.
    await heddle.stop("SIGKILL");
    await rm(data, { recursive: true });
    await cp(join(base, "copy"), data, { recursive: true });
    const verified = await admin("verify");
    assert.match(verified.stdout, /all is well/);
    heddle = await HeddleProcess.start(data, { again: addresses });

    const callers = await callersOf(addresses.webUrl);
    for (const [user, caller] of callers) {
      const logs = await logsOf(caller);
      for (const { userId, threadId, seq, text } of before) {
        if (userId === user) assert.equal(logs.get(hex(threadId))?.[seq - 1], text);
      }
    }
    const after = new Load(callers);
    const reader = listen("bob", addresses, join(base, "state"));
    await reader.until(({ type }) => type === "caught_up");
    const goingOn = after.run();
    await after.more(LOAD);
    const shown = await reader.until(({ type, from }) => type === "entry" && from !== "bob");
    await reader.stop();
    assert.ok(shown.text);
    after.stop();
    await goingOn;
    for (const { userId, threadId, seq, text } of after.acknowledged.slice(-20)) {
      const logs = await logsOf(callers.get(userId) ?? assert.fail());
      assert.equal(logs.get(hex(threadId))?.[seq - 1], text);
    }
  });

  it("clears what one that was killed had left, at the next start and at the next backup, and says so", async () => {
    heddle = await HeddleProcess.start(data);
    const staging = join(data, "backup-staging");
    const leave = () => cp(join(data, "messages"), staging, { recursive: true });
    await leave();
    await heddle.stop("SIGKILL");
    heddle = await HeddleProcess.start(data);
    assert.ok(!(await readdir(data)).includes("backup-staging"));
    assert.ok(heddle.stderr.some((line) => /a backup was ended before it was whole/.test(line)));
    await leave();
    const { stdout } = await admin("backup", join(base, "copy"));
    assert.match(stdout, /removed what a backup that was ended had left/);
    assert.ok(!(await readdir(data)).includes("backup-staging"));
  });

  it("names what is in its way", async () => {
    await assert.rejects(admin("backup", join(base, "copy")), { code: 2 }); // There is no data folder.
    heddle = await HeddleProcess.start(data);
    const says = (words: RegExp) => (error: { code: number; stderr: string }) =>
      error.code === 1 && words.test(error.stderr);
    await assert.rejects(admin("backup", join(data, "copy")), says(/within the data folder/));
    await admin("backup", join(base, "copy"));
    await assert.rejects(admin("backup", join(base, "copy")), says(/is not empty/));
    const url = `${heddle.addresses.adminUrl}/backup`;
    const body = JSON.stringify({ folder: join(base, "another") });
    assert.equal((await fetch(url, { method: "POST", body })).status, 401);
  });
});

/** `bin/chat as <user> listen --json` */
function listen(user: string, { grpcUrl, webUrl }: Addresses, state: string): JsonChat {
  const env = { ...process.env, XDG_STATE_HOME: state, HEDDLE_GRPC_URL: grpcUrl, HEDDLE_WEB_URL: webUrl };
  return new JsonChat(spawn(join(ROOT, "bin/chat"), ["as", user, "listen", "--json"], { env }));
}

function callerOf(baseUrl: string, token: string): Caller {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors: [authorize] });
  return {
    messages: createClient(MessageService, transport),
    threads: createClient(ThreadService, transport),
  };
}

/** The texts of every thread that the user's list shows, by seq, by thread id in hex. Each is whole. */
async function logsOf({ messages, threads }: Caller): Promise<ReadonlyMap<string, readonly string[]>> {
  const logs = new Map<string, string[]>();
  for (let pageToken: Uint8Array = new Uint8Array(0); ; ) {
    const page = await threads.listThreads({ pageSize: 100, pageToken });
    for (const { threadId } of page.threads) {
      const texts: string[] = [];
      for (let hasMore = true; hasMore; ) {
        const position = { case: "afterSeq" as const, value: BigInt(texts.length) };
        const answer = await messages.listEntries({ threadId, position, pageSize: 200 });
        for (const { seq, body } of answer.entries) {
          assert.equal(Number(seq), texts.length + 1);
          texts.push(body?.kind.case === "text" ? body.kind.value.text : "");
        }
        hasMore = answer.hasMore;
      }
      logs.set(hex(threadId), texts);
    }
    pageToken = page.nextPageToken;
    if (page.nextPageToken.length === 0) return logs;
  }
}
