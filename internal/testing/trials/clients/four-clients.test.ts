import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { type Browser, chromium as playwright } from "playwright-core";
import { python } from "../../../../cmd/stubs/python.ts";
import { buildPage } from "../../../../cmd/web/build.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { ListEntriesRequestSchema } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { grpcBytes } from "../../contract/raw-calls.ts";
import { devTokens, HeddleProcess, ROOT } from "../programs/heddle-process.ts";
import { chromium, pythonStubs } from "../programs/tools.ts";
import { GrpcurlMember } from "./four-clients/grpcurl-member.ts";
import { JsonChild } from "./four-clients/json-child.ts";
import { LineMember } from "./four-clients/line-member.ts";
import type { Member, Sighting } from "./four-clients/member.ts";
import { PageMember } from "./four-clients/page-member.ts";
import { texts } from "./four-clients/texts.ts";

const THREAD = directThreadId("ann", "bob");

describe("Four kinds of client in one conversation", function () {
  this.timeout("60s");
  let folder: string;
  let heddle: HeddleProcess;
  let tokens: Record<string, string>;
  let browser: Browser;
  let terminal: LineMember;
  let page: PageMember;
  let snake: LineMember;
  let curl: GrpcurlMember;
  let members: readonly Member[];
  let written = 0;

  /** Sends, and waits until every member sees it. */
  const say = async (member: Member, text: string) => {
    await member.send(text);
    written++;
    await Promise.all(members.map((each) => each.sees(written)));
  };
  const views = () => Promise.all(members.map((member) => member.view()));

  before(async function () {
    this.timeout("8m"); // A cold cache of tools: Go compiles grpcurl in 1 to 4 minutes.
    folder = await mkdtemp(join(tmpdir(), "heddle-four-clients-"));
    await buildPage();
    heddle = await start(folder);
    const { grpcUrl, webUrl } = heddle.addresses;
    tokens = await devTokens(webUrl, ["ann", "bob"]);
    browser = await playwright.launch({ executablePath: await chromium(), args: ["--no-sandbox"] });

    terminal = new LineMember("ann", "bob", terminalClient(heddle, join(folder, "terminal")));
    snake = new LineMember("bob", "ann", await pythonClient(heddle));
    curl = new GrpcurlMember("bob", "ann", grpcUrl, tokens.bob ?? "");
    page = await PageMember.open(browser, webUrl, "ann", "bob");
    await curl.connect("reflection");
    members = [terminal, page, snake, curl];
  });
  after(async () => {
    await Promise.allSettled([terminal?.child.kill(), snake?.child.kill(), curl?.close(), browser?.close()]);
    await heddle?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("carries what each of them says to all of them", async () => {
    for (const member of [terminal, snake, page, curl, page, terminal, curl, snake])
      await say(member, `hello, this is ${written + 1}`);
    sameViews(await views(), written);
  });

  it("carries what all of them say at once, whatever the text is", async () => {
    const said = members.map((member, at) => texts(at).map((text) => ({ member, text })));
    await Promise.all(
      said.map(async (own) => {
        for (const { member, text } of own) await member.send(text);
      }),
    );
    written += said.flat().length;
    await Promise.all(members.map((member) => member.sees(written)));
    const [view = []] = await views();
    sameViews(await views(), written);
    const expected = said.flat().map(({ member, text }) => `${member.userId}: ${text}`);
    const sent = view.slice(-expected.length).map(({ sender, text }) => `${sender}: ${text}`);
    assert.deepEqual(sent.toSorted(), expected.toSorted());
  });

  it("gives the same history to unary calls, by reflection and with the schema's files", async () => {
    const threadId = Buffer.from(THREAD).toString("base64");
    const [view] = await views();
    assert.deepEqual(await curl.history(threadId, "reflection"), view);
    assert.deepEqual(await curl.history(threadId, "files"), view);
  });

  it("takes a unary send once, and finds what became of it", async () => {
    const clientId = Buffer.from(hex(THREAD), "hex").toString("base64");
    const send = {
      toUserId: "ann",
      clientId,
      baseSeq: written,
      attempt: 1,
      body: { text: { text: "by call" } },
    };
    const answer = await curl.call("MessageService/Send", send, "files");
    written++;
    assert.equal(answer.seq, String(written));
    const repeated = await curl.call("MessageService/Send", { ...send, attempt: 2 }, "reflection");
    assert.deepEqual(repeated, { ...answer, duplicate: true });
    const inquiry = { toUserId: "ann", clientId, baseSeq: send.baseSeq };
    const resolved = await curl.call("MessageService/ResolveSend", inquiry, "files");
    assert.deepEqual(resolved, { committed: { seq: answer.seq, createdAtMs: answer.createdAtMs } });
    await Promise.all(members.map((member) => member.sees(written)));
    sameViews(await views(), written);
  });

  it("tells a client what it will never take", async () => {
    const { child } = snake;
    await snake.send("x".repeat(32_769));
    const refusals = () => child.said.filter(({ type }) => type === "refused");
    await child.until("refusal", () => refusals().length > 0);
    assert.deepEqual(
      refusals().map(({ reason }) => reason),
      ["INVALID_FIELD"],
    );
  });

  it("shows each side what the other has read", async () => {
    await page.read();
    await snake.seesRead("ann", written);
    await curl.seesRead("ann", written);
    await snake.read(written);
    await page.seesRead("bob", written);
    await terminal.seesRead("bob", written);
  });

  it("has the same bytes after a restart, and the clients come back by themselves", async () => {
    const before = await historyBytes(heddle, tokens.ann ?? "");
    assert.deepEqual(await historyBytes(heddle, tokens.bob ?? ""), before);
    const viewsBefore = await views();
    assert.equal(await heddle.stop("SIGTERM"), 0);
    assert.equal(await curl.disconnect(), 0);

    heddle = await start(folder, heddle);
    assert.deepEqual(await historyBytes(heddle, tokens.ann ?? ""), before);
    await curl.connect("files");
    for (const member of [page, snake, terminal, curl])
      await say(member, `after the restart, ${written + 1}`);
    const viewsAfter = await views();
    sameViews(viewsAfter, written);
    assert.deepEqual(
      viewsAfter.map((view) => view.slice(0, -4)),
      viewsBefore,
    );
    assert.deepEqual(page.faults, []);
  });

  it("ends each of them well, and not only when their patience ends", async function () {
    this.timeout("8s");
    assert.equal(await terminal.child.end(), 0, terminal.child.stderr);
    assert.equal(await snake.child.end(), 0, snake.child.stderr);
    assert.equal(snake.child.stderr, "");
  });
});

function start(folder: string, earlier?: HeddleProcess): Promise<HeddleProcess> {
  const env = { HEDDLE_DRAIN_MS: "500" };
  return HeddleProcess.start(join(folder, "data"), { env, ...(earlier ? { again: earlier.addresses } : {}) });
}

function terminalClient({ addresses }: HeddleProcess, state: string): JsonChild {
  const where = ["--grpc", addresses.grpcUrl, "--web", addresses.webUrl, "--state", state];
  return new JsonChild(join(ROOT, "bin/chat"), ["as", "ann", ...where, "--json"]);
}

async function pythonClient({ addresses }: HeddleProcess): Promise<JsonChild> {
  const program = join(ROOT, "docs/examples/python_client.py");
  const where = ["--grpc", addresses.grpcUrl, "--web", addresses.webUrl];
  const env = { ...process.env, PYTHONPATH: await pythonStubs() };
  return new JsonChild(await python(), [program, "bob", ...where], env);
}

/** All show seqs 1 … count once each, in order, and the same in every respect. */
function sameViews(views: readonly (readonly Sighting[])[], count: number): void {
  const [first = []] = views;
  assert.deepEqual(
    first.map(({ seq }) => seq),
    Array.from({ length: count }, (_, at) => at + 1),
  );
  for (const view of views.slice(1)) assert.deepEqual(view, first);
}

/** The bytes of ListEntries' answer, as they come from the wire. */
async function historyBytes({ addresses }: HeddleProcess, token: string): Promise<string> {
  const client = new Client(new URL(addresses.grpcUrl).host, credentials.createInsecure());
  const request = create(ListEntriesRequestSchema, { threadId: THREAD, pageSize: 200 });
  const list = grpcBytes(client, "/heddle.message.v1.MessageService/ListEntries");
  const answer = await list(toBinary(ListEntriesRequestSchema, request), { token });
  client.close();
  if (!(answer instanceof Uint8Array)) throw new Error(answer.message);
  return hex(answer);
}
