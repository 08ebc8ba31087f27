import assert from "node:assert/strict";
import { bubble, PageBrowser, row } from "../../../internal/testing/trials/programs/page-browser.ts";

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("Names and pictures on the page", function () {
  this.timeout(60_000);
  const id = "auth0|507f1f77bcf86cd799439020";
  const browser = PageBrowser.ofSuite({
    changes: { profiles: { canBeSet: true, pictureHosts: ["p.example"] } },
  });
  before(async () => {
    await browser.write(id, "ann", ["hello"]);
  });

  const set = (userId: string, displayName: string, pictureUrl = "") =>
    browser.call(userId, "heddle.profile.v1.ProfileService/SetProfile", {
      displayName,
      pictureUrl,
      requestId: Buffer.alloc(16, 1).toString("base64"),
    });

  it("stand where ids stood, and change at the next sync; the id is in the details", async () => {
    await set(id, "Bo Diddley", "https://p.example/bo.png");
    await set("ann", "Ann Other");
    const context = await browser.context();
    await context.route("https://p.example/**", (route) =>
      route.fulfill({ body: PICTURE, contentType: "image/png" }),
    );
    const page = await browser.signedIn("ann", context);
    await page.getByRole("heading", { name: "Ann Other", level: 1 }).waitFor();
    await row(page, "Bo Diddley").click();
    await page.getByRole("heading", { name: "Bo Diddley", level: 2 }).waitFor();
    await bubble(page, "hello").getByText("Bo Diddley").waitFor({ state: "attached" });
    await page.locator(`img[src="https://p.example/bo.png"]`).first().waitFor();
    await page.getByRole("button", { name: "About this chat" }).click();
    await page.getByText(id, { exact: true }).waitFor();
    await page.getByRole("button", { name: "Block Bo Diddley" }).waitFor();
    await page.screenshot({ path: process.env.HEDDLE_TEST_SHOT ?? "/dev/null", type: "png" });
    await set(id, "Bo D.");
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await row(page, "Bo D.").waitFor();
    assert.deepEqual(browser.problems, []);
  });

  it("are told in groups, of all who write, come and go", async () => {
    const requestId = Buffer.alloc(16, 2).toString("base64");
    const create = { name: "Band", userIds: ["ann"], requestId };
    await browser.call(id, "heddle.thread.v1.ThreadService/CreateGroup", create);
    const page = await browser.signedIn("ann");
    await row(page, "Band").click();
    await page.getByText("Bo D. made the group “Band” with you").first().waitFor();
    await page.getByRole("button", { name: "About this group" }).click();
    await page.getByRole("list", { name: "Members" }).getByText("Bo D.").waitFor();
    await page.getByRole("list", { name: "Members" }).getByTitle(id).waitFor();
  });
});
