import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  becomes,
  bubble,
  holdCalls,
  PageBrowser,
  row,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("Presence on the page", function () {
  this.timeout(90_000);
  const browser = PageBrowser.ofSuite({ demandsNoProblem: true });

  const dot = (page: Page, name: string) => row(page, name).locator("> .dot");
  const line = (page: Page) => page.locator("main .presence");

  /** Two who have a chat, both here; the first looks at the list. */
  async function both(ann: string, bob: string): Promise<{ ann: Page; bob: Page }> {
    await browser.write(ann, bob, ["hello"]);
    const pages = { ann: await browser.signedIn(ann), bob: await browser.signedIn(bob) };
    await dot(pages.ann, bob).waitFor();
    return pages;
  }

  it("is a dot in the list and a word in the chat, and then when one was last seen", async () => {
    const { ann, bob } = await both("ann", "bob");
    await row(ann, "bob").getByText("online").waitFor({ state: "attached" }); // Said to listeners too.
    await row(ann, "bob").click();
    await line(ann).getByText("online").waitFor();
    await bob.context().close();
    await line(ann).getByText("last seen just now").waitFor({ timeout: 45_000 });
    await dot(ann, "bob").waitFor({ state: "detached" });
  });

  it("says who is writing, in the list and in the chat, until the message comes", async () => {
    const { ann, bob } = await both("cleo", "dan");
    await row(bob, "cleo").click();
    await bob.getByLabel("Message to cleo").pressSequentially("hi");
    await row(ann, "dan").getByText("typing…").waitFor();
    await row(ann, "dan").click();
    await line(ann).getByRole("status").getByText("typing…").waitFor();
    await write(bob, "hi cleo");
    await bubble(ann, "hi cleo").waitFor();
    await line(ann).getByText("online").waitFor();
    await becomes(() => ann.getByText("typing…").count(), 0);
  });

  it("hides a user who wants that, and remembers it", async () => {
    const { ann, bob } = await both("eve", "fred");
    await bob.getByRole("button", { name: "Settings" }).click();
    const shown = bob.getByRole("checkbox", { name: "Show when I am online" });
    await shown.uncheck();
    await dot(ann, "fred").waitFor({ state: "detached" });
    await bob.reload();
    await bob.getByRole("button", { name: "Settings" }).click();
    assert.equal(await shown.isChecked(), false);
    assert.equal(await dot(ann, "fred").count(), 0);
    await shown.check();
    await dot(ann, "fred").waitFor();
  });

  it("has no box to tick before the server has said how it is", async () => {
    const page = await browser.signedIn("jo");
    const held = await holdCalls(page, "**/heddle.presence.v1.PresenceService/GetVisibility");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Asking the server").waitFor();
    await held.asked;
    assert.equal(await page.getByRole("checkbox").count(), 0);
    held.release();
    const shown = page.getByRole("checkbox", { name: "Show when I am online" });
    assert.equal(await shown.isChecked(), true);
  });

  it("says so when the setting did not reach the server, and asks again how it is", async () => {
    const page = await browser.signedIn("ivo");
    await page.getByRole("button", { name: "Settings" }).click();
    const shown = page.getByRole("checkbox", { name: "Show when I am online", checked: true });
    await shown.waitFor();
    await page.context().setOffline(true);
    await shown.click();
    await page.getByText("The server did not answer").waitFor();
    assert.equal(await page.getByRole("checkbox").count(), 0, "whether it got there is not known");
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Ask again" }).click();
    await shown.waitFor();
    browser.problems.length = 0; // What the browser logs of requests without a network.
  });

  it("is not shown without a connection", async () => {
    const { ann } = await both("gina", "hal");
    await ann.context().setOffline(true);
    await dot(ann, "hal").waitFor({ state: "detached" });
    await ann.context().setOffline(false);
    await dot(ann, "hal").waitFor();
    browser.problems.length = 0; // What the browser logs of requests without a network.
  });
});
