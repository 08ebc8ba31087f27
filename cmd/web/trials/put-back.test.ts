import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  becomes,
  bubble,
  PageBrowser,
  row,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("A page whose server was put back", function () {
  this.timeout(120_000);
  let folder: string;
  const browser = PageBrowser.ofSuite();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-page-back-"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("shows what the server has now, says so once, and its message is accepted", async () => {
    const page = await browser.signedIn("ann");
    await startChat(page, "bob");
    await write(page, "kept");
    await bubble(page, "kept").and(page.locator(".sent")).waitFor();
    await (await browser.stop())(async (data) => cp(data, join(folder, "backup"), { recursive: true }));
    await write(page, "lost");
    await bubble(page, "lost").and(page.locator(".sent")).waitFor();

    const startAgain = await browser.stop();
    await write(page, "written meanwhile");
    await startAgain(async (data) => {
      await rm(data, { recursive: true });
      await cp(join(folder, "backup"), data, { recursive: true });
    });
    await browser.write("bob", "ann", ["from bob, at the same place"]);

    await bubble(page, "from bob, at the same place").waitFor();
    await bubble(page, "written meanwhile").and(page.locator(".sent")).waitFor();
    await page.getByText("put back to an earlier state").waitFor();
    const { threads } = await browser.call("bob", "heddle.thread.v1.ThreadService/ListThreads", {});
    const [{ threadId }] = threads as [{ threadId: string }];
    const history = await browser.call("bob", "heddle.message.v1.MessageService/ListEntries", { threadId });
    const texts = (history.entries as { body: { text?: { text: string } } }[]).flatMap(
      ({ body }) => body.text?.text ?? [],
    );
    assert.deepEqual(texts.toSorted(), ["from bob, at the same place", "kept", "written meanwhile"]);
    await becomes(() => page.locator(".bubble .text").allInnerTexts(), texts);
    await page.getByRole("button", { name: "Understood" }).click();
    assert.equal(await page.getByText("put back to an earlier state").count(), 0);
    await row(page, "bob").waitFor();
  });
});
