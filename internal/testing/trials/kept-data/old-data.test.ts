import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonChat } from "../programs/chat-programs.ts";
import { devTokens, HeddleProcess, ROOT } from "../programs/heddle-process.ts";
import { bubble, PageBrowser, row, signIn } from "../programs/page-browser.ts";

/** What the old program left, and what it said of that: see the README there. */
const FIXTURE = join(import.meta.dirname, "../../fixtures/043988e");

type Json = Readonly<Record<string, unknown>>;

/** A user's part of told.json. */
interface Told {
  readonly threads: readonly {
    readonly thread: Json & { readonly threadId: string };
    readonly entries: readonly Json[];
    readonly members?: readonly Json[];
    readonly receipts: { readonly receipts?: readonly Json[] };
  }[];
  readonly blocked: Json;
  readonly devices: { readonly devices: readonly Json[] };
}

const THREADS = "heddle.thread.v1.ThreadService";
const MESSAGES = "heddle.message.v1.MessageService";

/** The fields that the old program told, as the new one tells them: it may tell more. */
function oldFields(now: unknown, then: unknown): unknown {
  if (Array.isArray(now) && Array.isArray(then)) return now.map((value, at) => oldFields(value, then[at]));
  if (typeof now !== "object" || typeof then !== "object" || !now || !then) return now;
  const known = Object.entries(now).filter(([key]) => key in then);
  return Object.fromEntries(known.map(([key, value]) => [key, oldFields(value, (then as Json)[key])]));
}

function assertTold(now: unknown, then: unknown, what: string): void {
  assert.deepEqual(oldFields(now, then), then, what);
}

describe("What commit 043988e wrote", function () {
  this.timeout(120_000);
  const told = new Map<string, Told>();
  let folder = "";

  before(async () => {
    const text = await readFile(join(FIXTURE, "told.json"), "utf8");
    for (const [user, of] of Object.entries(JSON.parse(text) as Record<string, Told>)) told.set(user, of);
    folder = await mkdtemp(join(tmpdir(), "heddle-old-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** A copy of a data folder, to be written. */
  async function copyOf(name: string, as: string): Promise<string> {
    await cp(join(FIXTURE, name), join(folder, as), { recursive: true });
    return join(folder, as);
  }

  /** A thread's id, as Connect's JSON has it. */
  function threadOf(user: string, kind: string, other = ""): string {
    const found = told
      .get(user)
      ?.threads.find(
        ({ thread }) => thread.kind === kind && String(thread.participants ?? "").includes(other),
      );
    return found?.thread.threadId ?? "";
  }

  for (const name of ["stopped", "killed"]) {
    it(`is served as it was told then, and added to (${name})`, async () => {
      const heddle = await HeddleProcess.start(await copyOf(name, name));
      try {
        const { webUrl } = heddle.addresses;
        const tokens = await devTokens(webUrl, [...told.keys()]);
        for (const [user, then] of told) await compare(caller(webUrl, tokens[user] ?? ""), user, then);
        await add(webUrl, tokens);
      } finally {
        assert.equal(await heddle.stop(), 0);
      }
    });
  }

  it("lets a terminal's state go on, and send what waits in it", async () => {
    const heddle = await HeddleProcess.start(await copyOf("killed", "data"));
    await copyOf("state", "state/heddle");
    const { grpcUrl, webUrl } = heddle.addresses;
    const at = { XDG_STATE_HOME: join(folder, "state"), HEDDLE_GRPC_URL: grpcUrl, HEDDLE_WEB_URL: webUrl };
    const chat = new JsonChat(
      spawn(join(ROOT, "bin/chat"), ["as", "ann", "listen", "--json"], { env: { ...process.env, ...at } }),
    );
    try {
      const tokens = await devTokens(webUrl, ["bob"]);
      const bob = caller(webUrl, tokens.bob ?? "");
      for (const { text, threadId, afterSeq } of [
        {
          text: "ann to bob, waiting",
          threadId: threadOf("bob", "THREAD_KIND_DIRECT", "ann"),
          afterSeq: "6",
        },
        { text: "ann to all, waiting", threadId: threadOf("bob", "THREAD_KIND_GROUP"), afterSeq: "10" },
      ]) {
        await chat.until((line) => line.type === "entry" && line.text === text);
        assert.deepEqual(await textsAfter(bob, threadId, afterSeq), [text]);
      }
    } finally {
      await chat.stop();
      await heddle.stop();
    }
  });

  it("lets a browser's state go on, and send what waits in it", async () => {
    const browser = await PageBrowser.start({ dataDir: await copyOf("stopped", "page-data") });
    try {
      const page = await (await browser.context()).newPage();
      await page.goto("/icon.svg"); // The page's origin, without the page.
      await page.evaluate(
        putState,
        JSON.parse(await readFile(join(FIXTURE, "page.json"), "utf8")) as PageState,
      );
      browser.problems.length = 0; // Chromium looks for an icon of the icon.
      await page.goto("/");
      await signIn(page, "bob");
      await row(page, "ann").click();
      await bubble(page, "ann to bob 4").waitFor();
      await bubble(page, "bob, waiting in the page").and(page.locator(".sent, .delivered, .read")).waitFor();
      const bob = (method: string, request: object) => browser.call("bob", method, request);
      const threadId = threadOf("bob", "THREAD_KIND_DIRECT", "ann");
      assert.deepEqual(await textsAfter(bob, threadId, "6"), ["bob, waiting in the page"]);
      assert.deepEqual(browser.problems, []);
    } finally {
      await browser.close();
    }
  });
});

type Caller = (method: string, request: object) => Promise<Json>;

/** Unary calls as a user, in Connect's JSON. */
function caller(webUrl: string, token: string): Caller {
  return async (method, request) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const body = JSON.stringify(request);
    const response = await fetch(`${webUrl}/${method}`, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Json;
  };
}

async function textsAfter(call: Caller, threadId: string, afterSeq: string): Promise<readonly unknown[]> {
  const { entries = [] } = await call(`${MESSAGES}/ListEntries`, { threadId, afterSeq });
  return (entries as { readonly body: { readonly text: Json } }[]).map(({ body }) => body.text.text);
}

async function compare(call: Caller, user: string, then: Told): Promise<void> {
  const { threads } = await call(`${THREADS}/ListThreads`, {});
  const were = then.threads.map(({ thread }) => thread);
  const now = threads as typeof were;
  // Rows had a copy of what was read, up to a minute old; now what is told is what was read.
  for (const [at, { readSeq = 0 }] of were.entries())
    assert.ok(Number(now[at]?.readSeq ?? 0) >= Number(readSeq));
  const withoutRead = ({ readSeq: _, readOrdinal: __, ...rest }: (typeof were)[number]) => rest;
  assertTold(now.map(withoutRead), were.map(withoutRead), `${user}'s threads`);
  for (const { thread, entries, members, receipts } of then.threads) {
    const of = { threadId: thread.threadId };
    const page = await call(`${MESSAGES}/ListEntries`, { ...of, pageSize: 200 });
    assertTold(page.entries ?? [], entries, `${user}'s history`);
    // One who had left was told of positions above what it may see; no longer.
    if (thread.hasLeft !== true) {
      assertTold(await call(`${MESSAGES}/ListReceipts`, of), receipts, `${user}'s receipts`);
    }
    if (!members) continue;
    const list = await call(`${THREADS}/ListMembers`, of);
    assertTold(list.members, members, `${user}'s members`);
  }
  assertTold(await call(`${THREADS}/ListBlockedUsers`, {}), then.blocked, `${user}'s blocks`);
  assertTold(await call(`${THREADS}/ListDevices`, {}), then.devices, `${user}'s devices`);
}

/** Writes where one may, and is refused where one might not. */
async function add(webUrl: string, tokens: Readonly<Record<string, string>>): Promise<void> {
  const send = (user: string, to: string) => {
    const clientId = Buffer.from(crypto.randomUUID().replaceAll("-", ""), "hex").toString("base64");
    const body = { text: { text: "new" } };
    return caller(webUrl, tokens[user] ?? "")(`${MESSAGES}/Send`, {
      toUserId: to,
      clientId,
      attempt: 1,
      body,
    });
  };
  assert.equal((await send("ann", "bob")).seq, "7");
  await assert.rejects(send("dan", "bob"), /BLOCKED/);
  const bob = caller(webUrl, tokens.bob ?? "");
  await assert.rejects(
    bob("heddle.gateway.v1.GatewayService/OpenSession", { deviceId: "lost-phone" }),
    /DEVICE_REVOKED/,
  );
}

interface PageState {
  readonly databases: Readonly<Record<string, { readonly values: Readonly<Record<string, unknown>> }>>;
  readonly localStorage: Readonly<Record<string, string>>;
}

/** Runs in the browser: puts what the old page had stored where it had it. */
async function putState({ databases, localStorage: local }: PageState): Promise<void> {
  for (const [key, value] of Object.entries(local)) localStorage.setItem(key, value);
  for (const [name, { values }] of Object.entries(databases)) {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("values");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const transaction = request.result.transaction("values", "readwrite");
        for (const [key, value] of Object.entries(values)) transaction.objectStore("values").put(value, key);
        transaction.oncomplete = () => {
          request.result.close();
          resolve();
        };
      };
    });
  }
}
