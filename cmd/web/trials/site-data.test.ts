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

const sent = (page: Page, text: string) =>
  bubble(page, text)
    .getByRole("img", { name: /^(Sent|Delivered|Read)$/ })
    .waitFor();
const keepsNothing = (page: Page) => page.getByRole("status").getByText("This browser keeps nothing");

describe("What a browser keeps of the page", function () {
  this.timeout(90_000);
  const browser = PageBrowser.ofSuite();

  it("is kept anew when the site's data is cleared under the open page", async () => {
    const page = await browser.signedIn("ann");
    await startChat(page, "bob");
    await write(page, "before");
    await sent(page, "before");
    await startChat(page, "cleo");
    await page.getByLabel("Message to cleo").fill("half a thou");
    await page.context().route("**/heddle.push.v1.PushService/Submit", (route) => route.abort());
    await row(page, "bob").click();
    await write(page, "waits");
    await bubble(page, "waits").waitFor();

    const devtools = await page.context().newCDPSession(page);
    const { origin } = new URL(browser.heddle.webUrl);
    await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
    await write(page, "after");
    await bubble(page, "after").waitFor();
    assert.equal(await keepsNothing(page).count(), 0);

    const held = await holdCalls(page, "**/heddle.push.v1.PushService/Subscribe");
    await page.reload();
    await held.asked;
    for (const text of ["before", "waits", "after"]) await bubble(page, text).waitFor();
    await page.context().unrouteAll();
    held.release();
    for (const text of ["waits", "after"]) await sent(page, text);
    await startChat(page, "cleo");
    await becomes(() => page.getByLabel("Message to cleo").inputValue(), "half a thou");
    browser.problems.length = 0; // What the browser logs of calls that were cut off.
  });

  it("is held by the tab where local storage is full, and the page says so", async () => {
    const page = await (await browser.context()).newPage();
    await page.goto("/");
    await page.evaluate(() => {
      for (let size = 1 << 20; size >= 1; ) {
        try {
          localStorage.setItem(`filler-${size}-${localStorage.length}`, "x".repeat(size));
        } catch {
          size >>= 1;
        }
      }
    });
    await page.reload();
    await signIn(page, "dan");
    await page.getByRole("status").getByText("This browser takes no more notes").waitFor();
    await startChat(page, "eve");
    await page.getByLabel("Message to eve").fill("a draft");
    await startChat(page, "fred");
    await startChat(page, "eve");
    assert.equal(await page.getByLabel("Message to eve").inputValue(), "a draft");
    await page.keyboard.press("Enter");
    await sent(page, "a draft");
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await sent(page, "a draft");
    await becomes(() => page.getByText("This browser takes no more notes").count(), 0);
  });

  it("is held by the tab where site data is blocked, and the page says so", async () => {
    const context = await browser.contextWithoutSiteData();
    const page = await browser.signedIn("gus", context);
    await keepsNothing(page).waitFor();
    await startChat(page, "hana");
    await write(page, "from memory");
    await sent(page, "from memory");
    await browser.write("hana", "gus", ["an answer"]);
    await bubble(page, "an answer").waitFor();
    const other = await browser.signedIn("gus", context);
    await row(other, "hana").click();
    await write(other, "from another tab");
    await bubble(page, "from another tab").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Your name").waitFor();
    assert.deepEqual(browser.problems, []);
  });

  it("is held by the tab when there is no room for chats, and kept once there is", async () => {
    const page = await (await browser.context()).newPage();
    await page.goto("/");
    const devtools = await page.context().newCDPSession(page);
    const { origin } = new URL(browser.heddle.webUrl);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
    await signIn(page, "ivo");
    await startChat(page, "jan");
    await write(page, "no room");
    await sent(page, "no room");
    await keepsNothing(page).waitFor();
    await devtools.send("Storage.overrideQuotaForOrigin", { origin });
    for (let at = 1; (await keepsNothing(page).count()) > 0; at++) {
      await write(page, `again ${at}`);
      await sent(page, `again ${at}`);
    }
    await page.reload();
    await sent(page, "no room");
  });
});
