import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  becomes,
  bubble,
  holdCalls,
  PageBrowser,
  row,
  signIn,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("Devices on the page", function () {
  this.timeout(60_000);
  const browser = PageBrowser.ofSuite({ demandsNoProblem: true });

  const terminal = "chat-0123456789ab";
  const devices = (page: Page) => page.getByRole("list", { name: "Your devices" }).getByRole("listitem");
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent);

  async function openDevices(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Devices", exact: true }).click();
  }

  const newDevice = (name: string, deviceId: string) =>
    browser.call(name, "heddle.gateway.v1.GatewayService/OpenSession", { deviceId });

  /** Somebody in the browser, who also has a terminal. */
  async function withTerminal(name: string): Promise<Page> {
    await newDevice(name, terminal);
    return await browser.signedIn(name);
  }

  async function idsOf(name: string): Promise<string[]> {
    const answer = await browser.call(name, "heddle.thread.v1.ThreadService/ListDevices", {});
    return ((answer.devices ?? []) as { deviceId: string }[]).map(({ deviceId }) => deviceId);
  }

  it("are listed with a name, when each was last connected, and which is this one", async () => {
    const page = await withTerminal("ann");
    await browser.signedIn("ann", page.context());
    await openDevices(page);
    await becomes(() => devices(page).count(), 3);
    assert.match((await devices(page).first().textContent()) ?? "", /This one/, "it comes first");
    const own = devices(page).filter({ hasText: "This one" });
    assert.match((await own.textContent()) ?? "", /^This browser, tab 1Last connected: Today, /);
    await devices(page).filter({ hasText: "This browser, tab 2" }).waitFor();
    const other = devices(page).filter({ hasText: "Terminal 0123" });
    assert.match((await other.textContent()) ?? "", /^Terminal 0123Last connected: Today, .*\d/);
    await page.getByRole("button", { name: "Sign out Terminal 0123" }).waitFor();
    await page.getByRole("button", { name: "Devices", exact: true, expanded: true }).click();
    assert.equal(await devices(page).count(), 0);
  });

  it("are signed out one by one, each after a question", async () => {
    const page = await withTerminal("bob");
    const lost = await browser.signedIn("bob");
    await openDevices(page);
    await page.getByRole("button", { name: /^Sign out Browser .{4}, tab 1/ }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    assert.equal((await idsOf("bob")).length, 3, "nothing is done before the answer");
    await page.getByRole("button", { name: /^Sign out Browser .{4}, tab 1/ }).click();
    await page.getByText("This cannot be taken back.").waitFor();
    await page.getByRole("button", { name: /^Yes, sign out Browser/ }).click();
    await page
      .getByRole("status")
      .getByText(/^Browser .{4}, tab 1 is signed out\.$/)
      .waitFor();
    await becomes(() => devices(page).count(), 2);
    await lost.getByText("This browser was signed out from another of your devices.").waitFor();
    assert.equal((await idsOf("bob")).length, 2);
  });

  it("sign this one out too, which comes back as another", async () => {
    const page = await browser.signedIn("cleo");
    const [before] = await idsOf("cleo");
    await openDevices(page);
    await page.getByRole("button", { name: "Sign out This browser, tab 1" }).click();
    await page.getByRole("button", { name: "Yes, sign out This browser, tab 1" }).click();
    await page.getByText("This device is signed out.").waitFor();
    assert.deepEqual(await idsOf("cleo"), []);
    await signIn(page, "cleo");
    await becomes(async () => (await idsOf("cleo")).length, 1);
    assert.notEqual((await idsOf("cleo"))[0], before);
    await page.locator(".banner[data-phase=online]").waitFor({ state: "attached" });
  });

  it("keep what waits when they are signed out, and the next sign-in sends it", async () => {
    const page = await browser.signedIn("vic");
    await startChat(page, "wes");
    await page.context().setOffline(true);
    await write(page, "written too late");
    const [deviceId] = await idsOf("vic");
    const requestId = Buffer.alloc(16, 1).toString("base64");
    await browser.call("vic", "heddle.thread.v1.ThreadService/RevokeDevice", { deviceId, requestId });
    await page.context().setOffline(false);
    await page.getByText("What you wrote is kept, and goes out once you sign in again.").waitFor();
    await page.getByRole("button", { name: "Sign in again" }).click();
    await signIn(page, "vic");
    await row(page, "wes").click();
    await bubble(page, "written too late").getByRole("img", { name: "Sent" }).waitFor();
    const isOfTheGap = (problem: string) => problem.includes("ERR_INTERNET_DISCONNECTED");
    assert.deepEqual(
      browser.problems.splice(0).filter((problem) => !isOfTheGap(problem)),
      [],
    );
  });

  it("are not shown before the server has said which there are", async () => {
    const page = await withTerminal("dan");
    const held = await holdCalls(page, "**/heddle.thread.v1.ThreadService/ListDevices");
    await openDevices(page);
    await held.asked;
    await page.getByText("Asking the server for your devices…").waitFor();
    assert.equal(await page.getByRole("button", { name: /^Sign out / }).count(), 0);
    held.release();
    await becomes(() => devices(page).count(), 2);
  });

  it("are not shown when it is not known whether one was signed out, until they are asked for again", async () => {
    const page = await withTerminal("eve");
    await openDevices(page);
    await page.getByRole("button", { name: "Sign out Terminal 0123" }).click();
    await page.route("**/heddle.thread.v1.ThreadService/RevokeDevice", (route) => route.abort());
    await page.getByRole("button", { name: "Yes, sign out Terminal 0123" }).click();
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
    assert.equal(await devices(page).count(), 0);
    await page.getByRole("button", { name: "Ask again" }).click();
    await becomes(() => devices(page).count(), 2);
    browser.problems.length = 0; // What the browser logs of the request that failed.
  });

  it("say that one is not there any more", async () => {
    const page = await withTerminal("fay");
    await openDevices(page);
    await page.getByRole("button", { name: "Sign out Terminal 0123" }).click();
    for (let at = 0; at < 99; at++) await newDevice("fay", `phone-${at}`); // The longest unused one makes room.
    await page.getByRole("button", { name: "Yes, sign out Terminal 0123" }).click();
    await page.getByRole("alert").getByText("That device is not signed in any more.").waitFor();
    browser.problems.length = 0; // What the browser logs of the answer 404.
  });

  it("can be gone through by keys, with a question that Escape leaves", async () => {
    const page = await withTerminal("gus");
    await page.getByRole("button", { name: "Settings" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Devices", exact: true }).focus();
    await page.keyboard.press("Enter");
    const out = page.getByRole("button", { name: "Sign out Terminal 0123" });
    await out.focus();
    await page.keyboard.press("Enter");
    await becomes(() => focused(page), "Keep it");
    const tree = await page.locator("body").ariaSnapshot();
    assert.doesNotMatch(tree, /^\s*- (button|textbox|img|navigation|list)(:| *$)/m, tree);
    await page.keyboard.press("Escape");
    await becomes(() => out.evaluate((button) => button === document.activeElement), true);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await becomes(() => devices(page).count(), 1);
    await becomes(() => focused(page), "Devices");
  });

  it("fit a window of 360 pixels, however many there are", async () => {
    const context = await browser.context({ viewport: { width: 360, height: 640 } });
    const long = "w".repeat(128);
    const ids = [long, ...Array.from({ length: 30 }, (_, at) => `phone-${at}`)];
    for (const deviceId of ids) await newDevice("hal", deviceId);
    await browser.write("bob", "hal", ["hello"]);
    const page = await browser.signedIn("hal", context);
    await openDevices(page);
    await becomes(() => devices(page).count(), 32);
    await page.getByRole("button", { name: `Sign out ${long}` }).click();
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll(".menu *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => element.outerHTML),
    );
    assert.deepEqual(wide, []);
    await page.locator("button.row").click();
    await page.getByRole("main", { name: "Chat with bob" }).waitFor();
  });
});
