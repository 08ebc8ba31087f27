import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  bubble,
  PageBrowser,
  row,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("Many tabs of the page", function () {
  this.timeout(90_000);
  const browser = PageBrowser.ofSuite();

  it("work up to five; a sixth says what is wrong, and goes on when one is closed", async () => {
    const context = await browser.context();
    const tabs: Page[] = [];
    for (const name of ["ann", "bob", "ann", "cleo", "dan"]) tabs.push(await browser.signedIn(name, context));
    const [ann, bob] = tabs;
    assert.ok(ann && bob);
    await startChat(ann, "bob");
    await write(ann, "five tabs");
    await row(bob, "ann").click();
    await bubble(bob, "five tabs").waitFor();

    const sixth = await context.newPage();
    await sixth.goto("/");
    await sixth.getByLabel("Your name").fill("eve");
    await sixth.keyboard.press("Enter");
    await sixth.getByRole("heading", { name: "Too many tabs" }).waitFor();
    await sixth.getByText("Close one of the other tabs").waitFor();
    await write(bob, "still at work");
    await bubble(ann, "still at work").waitFor();

    await tabs[3]?.close();
    await sixth.getByRole("heading", { name: "eve", level: 1 }).waitFor();
    await startChat(sixth, "ann");
    await write(sixth, "here at last");
    await bubble(sixth, "here at last")
      .getByRole("img", { name: /^(Sent|Delivered)$/ })
      .waitFor();
  });
});
