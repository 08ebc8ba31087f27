import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { becomes, bubble, PageBrowser, row } from "../../../internal/testing/trials/programs/page-browser.ts";

describe("The page without a mouse", function () {
  this.timeout(60_000);
  const browser = PageBrowser.ofSuite();
  before(async () => {
    for (const name of ["bob", "carl", "dora"]) await browser.write(name, "ann", [`hi from ${name}`]);
  });

  it("signs in, goes through the list, reads, writes, and comes back", async () => {
    const page = await (await browser.context()).newPage();
    const { keyboard } = page;
    const focused = () =>
      page.evaluate(() => document.activeElement?.id || document.activeElement?.ariaLabel);
    await page.goto("/");
    await keyboard.type("ann");
    await keyboard.press("Enter");
    for (const name of ["bob", "carl", "dora"]) await row(page, name).waitFor();

    for (let at = 0; at < 4; at++) await keyboard.press("Tab"); // New chat, settings, sign out, the list.
    await becomes(focused, await row(page, "dora").getAttribute("id"));
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await becomes(focused, await row(page, "bob").getAttribute("id"));
    await keyboard.press("Home");
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    await bubble(page, "hi from carl").waitFor();
    await becomes(focused, "Message to carl");

    await keyboard.type("first line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await bubble(page, "first line\nsecond line").getByRole("img", { name: "Sent" }).waitFor();
    await keyboard.press("Escape");
    await becomes(focused, await row(page, "carl").getAttribute("id"));
    assert.equal(await page.locator("main.conversation").count(), 0);
  });

  it("goes back to the list once, however often Escape is pressed", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    await page.getByLabel("Message to bob").evaluate((field) => {
      for (let at = 0; at < 2; at++) {
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      }
    });
    const bob = await row(page, "bob").getAttribute("id");
    await becomes(() => page.evaluate(() => document.activeElement?.id), bob ?? "");
    await page.goForward();
    await page.getByLabel("Message to bob").waitFor();
  });

  /** A key as browsers tell it of while, or in Safari just after, text is composed. */
  const composingKey = (page: Page, key: string, init: { isComposing?: boolean; keyCode?: number }) =>
    page.evaluate(
      ({ key, init }) =>
        document.activeElement?.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }),
        ),
      { key, init },
    );
  const composing = [{ isComposing: true, keyCode: 229 }, { keyCode: 229 }];

  it("sends and leaves nothing with the keys of an input method", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    const field = page.getByLabel("Message to bob");
    await field.fill("にほん");
    for (const init of composing) {
      for (const key of ["Enter", "Escape"]) await composingKey(page, key, init);
      assert.equal(await field.inputValue(), "にほん", JSON.stringify(init));
    }
    assert.equal(await bubble(page, "にほん").count(), 0);
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByLabel("Who do you want to write to?").fill("x");
    for (const init of composing) await composingKey(page, "Escape", init);
    await page.getByRole("button", { name: "New group" }).click();
    const people = page.getByLabel("Who is in it, besides you?");
    await people.fill("carl");
    for (const init of composing) {
      for (const key of ["Enter", "Escape"]) await composingKey(page, key, init);
      assert.equal(await people.inputValue(), "carl", JSON.stringify(init));
    }
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Leave out carl" }).waitFor();
  });

  it("takes names at the space behind them once it is typed, not while it is composed", async () => {
    const page = await browser.signedIn("ann");
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByRole("button", { name: "New group" }).click();
    const people = page.getByLabel("Who is in it, besides you?");
    await people.focus();
    const keys = await page.context().newCDPSession(page);
    const text = "carl, "; // A comma alone may be part of a name.
    await keys.send("Input.imeSetComposition", { text, selectionStart: 6, selectionEnd: 6 });
    assert.equal(await people.inputValue(), text);
    await keys.send("Input.insertText", { text });
    await page.getByRole("button", { name: "Leave out carl" }).waitFor();
    assert.equal(await people.inputValue(), "");
  });

  it("starts a chat, and leaves the form with Escape", async () => {
    const page = await browser.signedIn("ann");
    await page.getByRole("button", { name: "New chat" }).focus();
    await page.keyboard.press("Enter");
    await becomes(() => page.evaluate(() => document.activeElement?.id), "new-chat-name");
    await page.keyboard.type("ann");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("That is you").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".new-chat").waitFor({ state: "detached" });
    await becomes(() => page.evaluate(() => document.activeElement?.ariaLabel), "New chat");
  });

  it("names every button, field and list", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    await bubble(page, "hi from bob").waitFor();
    const tree = await page.locator("body").ariaSnapshot();
    assert.doesNotMatch(tree, /^\s*- (button|textbox|img|navigation|log)(:| *$)/m, tree);
    for (const part of ['navigation "Chats"', 'log "Messages with bob"', 'textbox "Message to bob"']) {
      assert.ok(tree.includes(part), `${part} in\n${tree}`);
    }
  });

  it("reads new messages out", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    await bubble(page, "hi from bob").waitFor();
    await browser.write("bob", "ann", ["listen"]);
    await page.locator("[aria-live=polite]").getByText("bob: listen").waitFor();
    await browser.write("dora", "ann", ["secret"]);
    await page.locator("[aria-live=polite]").getByText("New message from dora").waitFor();
  });
});
