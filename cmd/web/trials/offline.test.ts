import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BrowserContext } from "playwright-core";
import { Code } from "../../../internal/gen/google/rpc/code_pb.js";
import { type Refused, RefusedSchema } from "../../../internal/gen/heddle/push/v1/frame_pb.js";
import {
  SubmitRequestSchema,
  SubmitResponse_OutcomeSchema,
  SubmitResponse_TakenSchema,
  SubmitResponseSchema,
} from "../../../internal/gen/heddle/push/v1/push_service_pb.js";
import {
  becomes,
  bubble,
  PageBrowser,
  row,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("The page on a bad line", function () {
  this.timeout(90_000);
  const browser = PageBrowser.ofSuite();

  it("keeps a message as a draft until it is safe in the outbox", async () => {
    const page = await browser.signedIn("drew");
    await startChat(page, "bob");
    await page.evaluate(() => {
      const begin = IDBDatabase.prototype.transaction;
      const never = { objectStore: () => ({ put() {}, delete() {} }) } as unknown as IDBTransaction;
      IDBDatabase.prototype.transaction = function (...args) {
        return args[1] === "readwrite" ? never : begin.apply(this, args);
      };
    });
    await write(page, "first");
    await write(page, "second");
    const field = page.getByRole("textbox", { name: /^Message to/ });
    assert.equal(await field.inputValue(), "");
    await page.reload();
    await becomes(() => field.inputValue(), "first\nsecond");
    await page.context().close();
  });

  it("keeps what is written offline, and sends it in order when the line is back", async () => {
    const context = await browser.context();
    const page = await browser.signedIn("ann", context);
    await startChat(page, "bob");
    await write(page, "online");
    await bubble(page, "online").getByRole("img", { name: "Sent" }).waitFor();
    await context.setOffline(true);
    for (const text of ["first", "second", "third"]) await write(page, text);
    await page.getByText("Offline. Messages wait here").waitFor();
    for (const text of ["first", "second", "third"]) {
      await bubble(page, text)
        .getByRole("img", { name: /Waiting to be sent|Sending/ })
        .waitFor();
    }
    await context.setOffline(false);
    await page
      .getByRole("button", { name: "Try now" })
      .click({ timeout: 2_000 })
      .catch(() => undefined);
    for (const text of ["first", "second", "third"]) {
      await bubble(page, text).getByRole("img", { name: "Sent" }).waitFor();
    }
    assert.deepEqual(await page.locator(".bubble .text").allTextContents(), [
      "online",
      "first",
      "second",
      "third",
    ]);
  });

  it("keeps what waits through a reload, and sends it once", async () => {
    const context = await browser.context();
    const page = await browser.signedIn("carla", context);
    await startChat(page, "dan");
    await shutOut(context);
    await write(page, "through the reload");
    await bubble(page, "through the reload").waitFor();
    await page.reload();
    await bubble(page, "through the reload")
      .getByRole("img", { name: /Waiting|Sending|Finding out/ })
      .waitFor();
    await context.unrouteAll();
    await bubble(page, "through the reload").getByRole("img", { name: "Sent" }).waitFor({ timeout: 40_000 });
    const dan = await browser.signedIn("dan");
    await row(dan, "carla").click();
    await bubble(dan, "through the reload").waitFor();
    assert.equal(await dan.locator(".bubble").count(), 1);
  });

  it("sends once what was taken while the answer got lost", async () => {
    const context = await browser.context();
    const page = await browser.signedIn("eva", context);
    await startChat(page, "finn");
    let lost = 0;
    await context.route("**/heddle.push.v1.PushService/Submit", async (route) => {
      if (lost > 0) return route.continue();
      lost++;
      await route.fetch();
      await route.abort("connectionreset");
    });
    await write(page, "only once");
    await bubble(page, "only once").getByRole("img", { name: "Sent" }).waitFor({ timeout: 40_000 });
    assert.equal(lost, 1);
    const finn = await browser.signedIn("finn");
    await row(finn, "eva").click();
    await bubble(finn, "only once").waitFor();
    assert.equal(await finn.locator(".bubble").count(), 1);
  });

  it("says that the server is away, and goes on by itself when it is back", async () => {
    const page = await browser.signedIn("kai");
    await startChat(page, "lou");
    await write(page, "before the stop");
    await bubble(page, "before the stop").getByRole("img", { name: "Sent" }).waitFor();
    const startAgain = await browser.stop();
    await write(page, "while it is away");
    await page.getByText(/^(Offline|Connecting again)/).waitFor();
    await startAgain();
    await bubble(page, "while it is away").getByRole("img", { name: "Sent" }).waitFor({ timeout: 40_000 });
    await page.getByText(/^(Offline|Connecting again)/).waitFor({ state: "detached" });
    assert.deepEqual(await page.locator(".bubble .text").allTextContents(), [
      "before the stop",
      "while it is away",
    ]);
  });

  it("marks what was refused for good, and sends it again or forgets it as one likes", async () => {
    const context = await browser.context();
    const page = await browser.signedIn("gus", context);
    await startChat(page, "hana");
    await refuseSends(context);
    for (const text of ["again", "forget"]) {
      await write(page, text);
      await bubble(page, text).getByRole("img", { name: "Not sent" }).waitFor();
    }
    await context.unrouteAll();
    await page.reload();
    await bubble(page, "again").getByRole("button", { name: "Try again" }).click();
    await bubble(page, "again").getByRole("img", { name: "Sent" }).waitFor();
    await bubble(page, "forget").getByRole("button", { name: "Delete" }).click();
    await bubble(page, "forget").waitFor({ state: "detached" });
    await page.reload();
    await bubble(page, "again").waitFor();
    assert.equal(await page.locator(".bubble").count(), 1);
  });

  it("sends what a closed tab left behind", async () => {
    const context = await browser.context();
    const stays = await browser.signedIn("ida", context);
    const goes = await browser.signedIn("ida", context);
    await startChat(goes, "jo");
    await shutOut(context);
    await write(goes, "left behind");
    await bubble(goes, "left behind").waitFor();
    await goes.close();
    await context.unrouteAll();
    await stays.reload();
    await row(stays, "jo").click();
    await bubble(stays, "left behind").getByRole("img", { name: "Sent" }).waitFor({ timeout: 40_000 });
  });
});

/** The page still loads, but nothing of Heddle answers. */
async function shutOut(context: BrowserContext): Promise<void> {
  await context.route("**/heddle.*/**", (route) => route.abort("connectionrefused"));
}

/** Answers sends as the server would refuse them at the first try. */
async function refuseSends(context: BrowserContext): Promise<void> {
  await context.route("**/heddle.push.v1.PushService/Submit", async (route) => {
    const request = fromBinary(
      SubmitRequestSchema,
      (route.request().postDataBuffer() ?? new Uint8Array()).subarray(5),
    );
    if (!request.frames.some((frame) => frame.kind.case === "send")) return route.continue();
    const response = create(SubmitResponseSchema);
    for (const { kind } of request.frames) {
      const outcome = create(SubmitResponse_OutcomeSchema);
      outcome.kind = { case: "taken", value: create(SubmitResponse_TakenSchema) };
      if (kind.case === "send") outcome.kind = { case: "refused", value: refusal(kind.value.clientId) };
      response.outcomes.push(outcome);
    }
    const body = Buffer.concat([
      grpcWebFrame(0, toBinary(SubmitResponseSchema, response)),
      grpcWebFrame(0x80, Buffer.from("grpc-status: 0\r\n")),
    ]);
    await route.fulfill({ status: 200, contentType: "application/grpc-web+proto", body });
  });
}

function refusal(clientId: Uint8Array): Refused {
  const errorInfo = { domain: "heddle", reason: "INVALID_FIELD", metadata: { committed: "never" } };
  return create(RefusedSchema, { clientId, code: Code.INVALID_ARGUMENT, errorInfo });
}

/** A flag byte, the length, the bytes. */
function grpcWebFrame(flag: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
