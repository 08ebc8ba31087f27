import assert from "node:assert/strict";
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { repairFolder } from "../../../internal/app/care/repair.ts";
import { placesIn } from "../../../internal/app/folder/data-folder.ts";
import { hex } from "../../../internal/base/ids.ts";
import { directThreadId } from "../../../internal/base/thread-id.ts";
import { indexOf } from "../../../internal/store/level/files/table-file.ts";
import {
  becomes,
  bubble,
  PageBrowser,
  row,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

const OTHERS = ["bob", "cleo", "dan"];
/** Of each chat: several blocks of a table. */
const texts = Array.from({ length: 60 }, (_, at) =>
  `message ${at + 1} ${"of some length ".repeat(25)}`.trim(),
);

const note = (page: Page) => page.getByText("A part of this chat is lost on the server.", { exact: true });

describe("A page whose server has lost a part of a chat", function () {
  this.timeout(120_000);
  const browser = PageBrowser.ofSuite();
  let damaged: string;
  let left: string[];
  let firstBehind: string;

  before(async () => {
    for (const user of OTHERS) await browser.write("ann", user, texts);
    await (await browser.stop())(); // Its start moves the messages into a table.
    await (await browser.stop())(async (dataDir) => {
      const places = placesIn(dataDir);
      await breakMiddle(places.messages);
      const { loss } = await repairFolder(places, () => {}, true);
      const [found] = loss?.threads ?? [];
      assert.ok(found && loss?.threads.length === 1, JSON.stringify(loss));
      damaged = OTHERS.find((user) => hex(directThreadId("ann", user)) === found.thread) ?? assert.fail();
      left = texts.filter((_, at) => !found.lost.some(([from, to]) => at + 1 >= from && at + 1 <= to));
      firstBehind = texts[found.lost.at(-1)?.[1] ?? 0] ?? assert.fail();
      assert.ok(left.length < texts.length && left[0] === texts[0] && left.at(-1) === texts.at(-1));
    });
  });

  /** Bits of the block in the middle of the table, which is of one thread. */
  async function breakMiddle(folder: string): Promise<void> {
    const name = (await readdir(folder)).find((one) => one.endsWith(".ldb")) ?? assert.fail("no table");
    const blocks = indexOf(await readFile(join(folder, name)));
    const { handle } = blocks[Math.floor(blocks.length / 2)] ?? assert.fail("no block");
    const file = await open(join(folder, name), "r+");
    await file.write(Buffer.alloc(8, 0xff), 0, undefined, handle.offset + 40);
    await file.close();
  }

  const shown = (page: Page) => page.locator(".bubble .text").allInnerTexts();

  it("says so in that chat and in no other, and shows all that is left on both sides of the hole", async () => {
    const page = await browser.signedIn("ann");
    for (const user of OTHERS) {
      await row(page, user).click();
      await page.getByRole("heading", { name: user, level: 2 }).waitFor();
      await bubble(page, texts.at(-1) ?? "").waitFor();
      if (user === damaged) await note(page).waitFor();
      else assert.equal(await note(page).count(), 0, user);
    }
    await row(page, damaged).click();
    await becomes(async () => {
      await page.locator(".scroller").evaluate((box) => {
        box.scrollTop = 1;
      });
      return await shown(page);
    }, left);
    await note(page).waitFor();
    // And where the hole is: above the first line that stands behind it.
    const words = await page.locator("h3.day, .bubble .text").allInnerTexts();
    assert.equal(words[words.indexOf(firstBehind) - 1], "A part of this chat is lost on the server");
  });

  it("says it to one who comes back to it too, and takes what is written there", async () => {
    const context = await browser.context();
    const page = await browser.signedIn(damaged, context);
    await row(page, "ann").click();
    await note(page).waitFor();
    await write(page, "and on it goes");
    await bubble(page, "and on it goes").and(page.locator(".sent")).waitFor();
    await page.reload();
    await row(page, "ann").click();
    await note(page).waitFor();
    await bubble(page, "and on it goes").waitFor();
  });
});
