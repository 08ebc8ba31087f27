import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  becomes,
  bubble,
  holdCalls,
  PageBrowser,
  row,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

const tick = (page: Page, text: string, name: string) =>
  bubble(page, text).getByRole("img", { name, exact: true }).waitFor();

describe("Chat on the page", function () {
  this.timeout(60_000);
  const browser = PageBrowser.ofSuite({ demandsNoProblem: true });

  it("goes both ways, live, with ticks from sent to delivered to read", async () => {
    const ann = await browser.signedIn("ann");
    await startChat(ann, "bob");
    await write(ann, "hello bob");
    await tick(ann, "hello bob", "Sent");
    const bob = await browser.signedIn("bob");
    await tick(ann, "hello bob", "Delivered");
    await row(bob, "ann").getByText("hello bob").waitFor();
    await row(bob, "ann").click();
    await bubble(bob, "hello bob").waitFor();
    await tick(ann, "hello bob", "Read");
    await write(bob, "hello ann");
    await bubble(ann, "hello ann").waitFor();
    await tick(bob, "hello ann", "Read");
  });

  it("counts what is unread, in the list and in the tab's title, and stops when it is read", async () => {
    const cleo = await browser.signedIn("cleo");
    await browser.write("dan", "cleo", ["one", "two", "three"]);
    await row(cleo, "dan").locator(".count", { hasText: "3" }).waitFor();
    await cleo.waitForFunction(() => document.title === "(3) Heddle");
    await row(cleo, "dan").click();
    await row(cleo, "dan").locator(".count").waitFor({ state: "detached" });
    await cleo.waitForFunction(() => document.title === "Heddle");
    await cleo.locator("h3.new").waitFor();
  });

  it("leaves messages unread while nobody looks", async () => {
    const eve = await browser.signedIn("eve");
    await startChat(eve, "fred");
    await eve.evaluate(() => {
      document.hasFocus = () => false;
      window.dispatchEvent(new Event("blur"));
    });
    await browser.write("fred", "eve", ["are you there?"]);
    await bubble(eve, "are you there?").waitFor();
    await row(eve, "fred").locator(".count", { hasText: "1" }).waitFor();
    await eve.evaluate(() => {
      document.hasFocus = () => true;
      window.dispatchEvent(new Event("focus"));
    });
    await row(eve, "fred").locator(".count").waitFor({ state: "detached" });
  });

  it("shows chats by recency", async () => {
    const gina = await browser.signedIn("gina");
    for (const name of ["hal", "ivo", "jan"]) await browser.write(name, "gina", [`from ${name}`]);
    for (const name of ["hal", "ivo", "jan"]) await row(gina, name).waitFor();
    const names = () => gina.locator("button.row .name").allInnerTexts();
    await becomes(names, ["jan", "ivo", "hal"]);
    await browser.write("hal", "gina", ["again"]);
    await row(gina, "hal").getByText("again").waitFor();
    await becomes(names, ["hal", "jan", "ivo"]);
  });

  it("shows text as text, and links only where they are harmless", async () => {
    const kim = await browser.signedIn("kim");
    const bad = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    await browser.write("lee", "kim", [bad, "javascript:alert(1) https://heddle.dev/x?y=1"]);
    await row(kim, "lee").click();
    await bubble(kim, bad).waitFor();
    assert.equal(await kim.locator(".bubble img, .bubble script").count(), 0);
    assert.equal(await kim.evaluate(() => "hit" in window), false);
    const links = kim.locator(".bubble a");
    await links.first().waitFor();
    assert.equal(await links.count(), 1);
    assert.equal(await links.getAttribute("href"), "https://heddle.dev/x?y=1");
    assert.match((await links.getAttribute("rel")) ?? "", /noopener/);
  });

  it("keeps chats, ticks, open chat and draft through a reload", async () => {
    const mia = await browser.signedIn("mia");
    await startChat(mia, "ned");
    await write(mia, "first");
    await tick(mia, "first", "Sent");
    await mia.getByLabel("Message to ned").fill("half a thou");
    await mia.reload();
    await tick(mia, "first", "Sent");
    await becomes(() => mia.getByLabel("Message to ned").inputValue(), "half a thou");
    await startChat(mia, "olaf");
    assert.equal(await mia.getByLabel("Message to olaf").inputValue(), "");
    await row(mia, "ned").getByText("half a thou").waitFor();
  });

  it("mutes a chat, which then stays out of the title", async () => {
    const pia = await browser.signedIn("pia");
    await browser.write("quin", "pia", ["one"]);
    await row(pia, "quin").click();
    // A chat that is left before it was read keeps its count, and one that is still open counts nothing.
    await row(pia, "quin").locator(".count").waitFor({ state: "detached" });
    await pia.getByRole("button", { name: "Mute" }).click();
    await row(pia, "quin").getByRole("img", { name: "Muted" }).waitFor();
    await pia.keyboard.press("Escape");
    await pia.locator("main.conversation").waitFor({ state: "detached" });
    await browser.write("quin", "pia", ["two"]);
    await row(pia, "quin").locator(".count", { hasText: "1" }).waitFor();
    assert.equal(await pia.title(), "Heddle");
    await pia.reload();
    await row(pia, "quin").getByRole("img", { name: "Muted" }).waitFor();
  });

  it("takes no click on the bell while the one before is under way, so that none is lost", async () => {
    const page = await browser.signedIn("vic");
    await browser.write("will", "vic", ["hello"]);
    await row(page, "will").click();
    const held = await holdCalls(page, "**/heddle.thread.v1.ThreadService/SetMuted");
    const bell = page.getByRole("button", { name: "Mute" });
    await bell.click();
    await held.asked;
    await page.getByRole("button", { name: "Mute", disabled: true }).waitFor();
    held.release();
    await bell.click();
    await page.getByRole("button", { name: "Mute", pressed: false, disabled: false }).waitFor();
    await row(page, "will").getByRole("img", { name: "Muted" }).waitFor({ state: "detached" });
  });

  it("shows a user's two tabs the same, each its own device", async () => {
    const context = await browser.context();
    const one = await browser.signedIn("rosa", context);
    const two = await browser.signedIn("rosa", context);
    await startChat(one, "sam");
    await write(one, "from the first tab");
    await row(two, "sam").click();
    await tick(two, "from the first tab", "Sent");
    await write(two, "from the second");
    await tick(one, "from the second", "Sent");
    assert.equal(await one.locator(".bubble").count(), 2);
    assert.equal(await two.locator(".bubble").count(), 2);
  });

  it("shows nothing backwards that only a mark turns", async () => {
    const vic = await browser.signedIn("vic");
    await browser.write("uma", "vic", ["pay \u202e100 to eve"]);
    await row(vic, "uma").click();
    const text = bubble(vic, "pay 100 to eve").locator(".text");
    await text.waitFor();
    assert.equal(await text.textContent(), "pay 100 to eve");
    assert.equal(await text.evaluate((element) => getComputedStyle(element).unicodeBidi), "isolate");
  });

  it("stops at the longest message there is, and says so", async () => {
    const tea = await browser.signedIn("tea");
    await startChat(tea, "udo");
    await tea.getByLabel("Message to udo").fill("ä".repeat(16_385));
    await tea.getByText("Too long by 2 bytes:").waitFor();
    await tea.getByLabel("Message to udo").fill(`${"ä".repeat(16_384)}x`);
    await tea.getByText("Too long by 1 byte:").waitFor();
    await tea.keyboard.press("Enter");
    assert.equal(await tea.locator(".bubble").count(), 0);
    await tea.keyboard.press("Backspace");
    await tea.keyboard.press("Enter");
    await tea.getByRole("img", { name: "Sent" }).first().waitFor();
  });
});
