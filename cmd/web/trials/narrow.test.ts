import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { bubble, PageBrowser, row, write } from "../../../internal/testing/trials/programs/page-browser.ts";

describe("The page at 360 pixels", function () {
  this.timeout(60_000);
  const browser = PageBrowser.ofSuite();
  before(async () => {
    const long = "averylongwordwithoutanyplacetobreakit".repeat(5);
    await browser.write("a-name_as.long.as-a-name-may-be".padEnd(255, "x"), "ann", [long]);
    await browser.write("bob", "ann", ["hello"]);
  });

  it("shows list or chat, leads back with button and Back, and never scrolls sideways", async () => {
    const context = await browser.context({ viewport: { width: 360, height: 640 } });
    const page = await browser.signedIn("ann", context);
    await row(page, "bob").waitFor();
    await fits(page);
    await row(page, "bob").click();
    await bubble(page, "hello").waitFor();
    assert.equal(await page.getByRole("navigation", { name: "Chats" }).isVisible(), false);
    await write(page, "a word ".repeat(60).trim());
    await fits(page);
    await page.getByRole("button", { name: "Back to the list" }).click();
    await row(page, "bob").waitFor();
    await page.locator("button.row").nth(1).click();
    await page.locator(".bubble").waitFor();
    await fits(page);
    await page.goBack();
    await row(page, "bob").waitFor();
    assert.equal(await page.locator("main.conversation").count(), 0);
  });
});

async function fits(page: Page): Promise<void> {
  const wide = await page.evaluate(() =>
    [...document.querySelectorAll("body *")]
      .filter(
        (element) =>
          element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".for-listeners"),
      )
      .map((element) => element.className),
  );
  assert.deepEqual(wide, []);
}
