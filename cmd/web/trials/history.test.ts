import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { bubble, PageBrowser, row, write } from "../../../internal/testing/trials/programs/page-browser.ts";

const texts = Array.from({ length: 300 }, (_, at) =>
  `message ${at + 1} ${"of some length ".repeat(at % 9)}`.trim(),
);

interface Topmost {
  /** The text of the topmost bubble in sight. */
  readonly text: string | undefined;
  /** How far below the upper edge it stands, in pixels. */
  readonly offset: number;
}

const topmost = (page: Page): Promise<Topmost> =>
  page.locator(".scroller").evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    const found = [...box.querySelectorAll(".bubble")].find(
      (each) => each.getBoundingClientRect().bottom > top,
    );
    const offset = (found?.getBoundingClientRect().top ?? 0) - top;
    return { text: found?.querySelector(".text")?.textContent, offset };
  });

/** Scrolls up by most of a screen; near the upper edge, until the older messages that come there have come. */
async function scrollUp(page: Page): Promise<{ before: Topmost; after: Topmost; grown: boolean }> {
  const { shown, isNearEdge } = await page.locator(".scroller").evaluate((box) => {
    box.scrollTop = Math.max(1, box.scrollTop - 500);
    return { shown: box.querySelectorAll(".bubble").length, isNearEdge: box.scrollTop <= 600 };
  });
  const before = await topmost(page);
  const grown = isNearEdge && (await bubble(page, "message 1").count()) === 0;
  if (grown) {
    await page.waitForFunction((old) => document.querySelectorAll(".bubble").length > old, shown);
  }
  return { before, after: await topmost(page), grown };
}

/** In the page: what is in sight is told this much later, as on a busy machine. `told`: how often it is yet to come. */
function tellLate(ms: number): void {
  const page = globalThis as unknown as { IntersectionObserver: typeof IntersectionObserver; told: number };
  page.told = 0;
  page.IntersectionObserver = class extends page.IntersectionObserver {
    constructor(tell: IntersectionObserverCallback, options?: IntersectionObserverInit) {
      const late = (...news: Parameters<IntersectionObserverCallback>) => {
        page.told += 1;
        setTimeout(() => {
          page.told -= 1;
          tell(...news);
        }, ms);
      };
      super(late, options);
    }
  };
}

describe("History on the page", function () {
  this.timeout(120_000);
  const browser = PageBrowser.ofSuite();
  before(async () => {
    await browser.write("ann", "bob", texts);
  });

  it("loads upwards to the beginning, in order and without a hole, and what one reads stays in its place", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    await bubble(page, texts[299] ?? "").waitFor();
    const shown = await page.locator(".bubble").count();
    assert.ok(shown < 150, `${shown} at first`);
    let jumps = 0;
    for (let step = 0; step < 300 && (await bubble(page, "message 1").count()) === 0; step++) {
      const { before, after, grown } = await scrollUp(page);
      if (!grown) continue;
      jumps++;
      assert.equal(after.text, before.text);
      assert.ok(Math.abs(after.offset - before.offset) < 2, `moved by ${after.offset - before.offset} px`);
    }
    assert.ok(jumps >= 3, `${jumps} pages came while reading`);
    const all = await page.locator(".bubble .text").allTextContents();
    assert.deepEqual(all, texts);
  });

  it("stays where one reads when a message comes, offers the way down, and follows at the end", async () => {
    const page = await browser.signedIn("bob");
    await row(page, "ann").click();
    await page.locator(".bubble").first().waitFor();
    await page.locator(".scroller").evaluate((box) => {
      box.scrollTop = box.scrollHeight - box.clientHeight - 600;
    });
    await page.getByRole("button", { name: "To the newest message" }).waitFor();
    const before = await topmost(page);
    await browser.write("ann", "bob", ["one more"]);
    await page.locator(".to-end .count", { hasText: "1" }).waitFor();
    assert.deepEqual(await topmost(page), before);
    await page.getByRole("button", { name: "To the newest message" }).click();
    await bubble(page, "one more").waitFor();
    await page.locator(".to-end").waitFor({ state: "detached" });
    await write(page, "an answer");
    await browser.write("ann", "bob", ["and one"]);
    await bubble(page, "and one").waitFor();
    const gap = await page
      .locator(".scroller")
      .evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
    assert.ok(gap < 2, `${gap} px above the end`);
  });

  it("opens at the first new message", async () => {
    await browser.write("cleo", "dan", texts.slice(0, 250));
    const page = await browser.signedIn("dan");
    await row(page, "cleo").click();
    await page.locator("h3.new").waitFor();
    await page.waitForFunction(() => document.querySelector("h3.new")?.checkVisibility());
    assert.match((await topmost(page)).text ?? "", /^message [123]\b/);
    const left = Number((await row(page, "cleo").locator(".count").innerText()).match(/\d+/)?.[0]);
    assert.ok(left > 200, "what is below the edge is not read yet");
    await page.getByRole("button", { name: "To the newest message" }).click();
    await row(page, "cleo").locator(".count").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.querySelectorAll(".bubble").length <= 100);
  });

  it("stays at the end when the room gets less in steps, as it does when something opens above", async () => {
    const page = await browser.signedIn("ann");
    await row(page, "bob").click();
    await bubble(page, texts[299] ?? "").waitFor();
    const gap = await page.locator(".scroller").evaluate(async (box) => {
      const frame = () => new Promise((next) => requestAnimationFrame(next));
      await frame();
      box.style.height = "400px";
      await new Promise((next) => setTimeout(next, 0));
      box.style.height = "250px";
      for (let at = 0; at < 4; at++) await frame();
      return box.scrollHeight - box.scrollTop - box.clientHeight;
    });
    assert.ok(gap < 2, `${gap} px above the end`);
  });

  it("shows the newest page only at the end, however late the browser tells what is in sight", async () => {
    await browser.write("eve", "finn", texts.slice(0, 250));
    const context = await browser.context();
    await context.addInitScript(tellLate, 400);
    const page = await browser.signedIn("finn", context);
    await row(page, "eve").click();
    await bubble(page, "message 1").waitFor();
    await page.getByRole("button", { name: "To the newest message" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".bubble").length <= 100);
    await page.evaluate(
      () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
    );
    await page.waitForFunction(() => (globalThis as { told?: number }).told === 0);
    assert.equal(await page.locator(".bubble").count(), 50);
  });
});
