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

describe("Groups on the page", function () {
  this.timeout(120_000);
  const browser = PageBrowser.ofSuite({ demandsNoProblem: true });

  /** Makes a group in the dialog, which leads into it. */
  async function makeGroup(page: Page, name: string, people: readonly string[]): Promise<void> {
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByRole("button", { name: "New group" }).click();
    await page.getByLabel("Name of the group").fill(name);
    await page.getByLabel("Who is in it, besides you?").fill(people.join(" "));
    await page.getByRole("button", { name: "Make the group" }).click();
    await page.getByRole("heading", { name, level: 2 }).waitFor();
  }

  const change = (page: Page, text: string) => page.locator(".change").getByText(text, { exact: true });
  const about = (page: Page) => page.getByRole("button", { name: "About this group" });
  const panel = (page: Page) => page.getByRole("region", { name: "About this group" });

  it("are made in a dialog, found by their members, and show who says what", async () => {
    const ann = await browser.signedIn("ann");
    const bob = await browser.signedIn("bob");
    await makeGroup(ann, "Long weekend", ["bob", "cleo"]);
    await change(ann, "You made the group “Long weekend” with bob and cleo").waitFor();
    await ann.getByText("3 members").first().waitFor();
    await row(bob, "Long weekend").getByText("ann made the group").waitFor();
    await write(ann, "who brings the tent?");
    await row(bob, "Long weekend").getByText("ann: who brings the tent?").waitFor();
    await row(bob, "Long weekend").locator(".count", { hasText: "1" }).waitFor();
    await row(bob, "Long weekend").click();
    await bubble(bob, "who brings the tent?").locator(".sender", { hasText: "ann" }).waitFor();
    await bubble(ann, "who brings the tent?").getByRole("img", { name: "Read" }).waitFor();
    await bob.getByLabel("Message to Long weekend").pressSequentially("I");
    await ann.locator("main .presence").getByText("bob typing…").waitFor();
    await write(bob, "I do");
    await bubble(ann, "I do").waitFor();
    await bob.reload();
    await bubble(bob, "I do").waitFor();
    await change(bob, "ann made the group “Long weekend” with you and cleo").waitFor();
  });

  it("say what is missing before they are made, and offer people one writes with", async () => {
    await browser.write("dan", "eve", ["hello"]);
    const eve = await browser.signedIn("eve");
    await row(eve, "dan").waitFor();
    await eve.getByRole("button", { name: "New chat" }).click();
    await eve.getByRole("button", { name: "New group" }).click();
    await eve.getByRole("button", { name: "Make the group" }).click();
    await eve.getByText("A group needs a name").waitFor();
    await eve.getByLabel("Who is in it, besides you?").fill("nö-name ");
    await eve.getByText("“nö-name”").waitFor();
    await eve.getByLabel("Who is in it, besides you?").fill("");
    await eve.getByRole("button", { name: "Choose dan" }).click();
    await eve.getByRole("button", { name: "Leave out dan" }).waitFor();
    await eve.getByLabel("Name of the group").fill("Two");
    await eve.keyboard.press("Enter");
    await change(eve, "You made the group “Two” with dan").waitFor();
    await eve.getByRole("button", { name: "New chat" }).click();
    await eve.getByRole("button", { name: "New group" }).click();
    await eve.getByRole("form", { name: "New group" }).waitFor();
    await eve.keyboard.press("Escape");
    await eve.getByRole("form", { name: "New group" }).waitFor({ state: "detached" });
    await becomes(() => eve.evaluate(() => document.activeElement?.ariaLabel), "New chat");
  });

  it("are changed in their panel, and everybody sees how", async () => {
    const fred = await browser.signedIn("fred");
    const gina = await browser.signedIn("gina");
    await makeGroup(fred, "Band", ["gina"]);
    await row(gina, "Band").click();
    await about(fred).click();
    await panel(fred).getByLabel("Add people").fill("hal ivo");
    await panel(fred).getByLabel("Add people").press("Enter");
    await panel(fred).getByRole("button", { name: "Add 2 people" }).click();
    await change(gina, "fred added hal and ivo").waitFor();
    await panel(fred).getByRole("list", { name: "Members" }).getByText("hal").waitFor();
    await panel(fred).getByRole("button", { name: "Make gina an owner" }).click();
    await change(gina, "fred made you an owner").waitFor();
    await panel(fred).getByLabel("Name of the group").fill("Orchestra");
    await panel(fred).getByRole("button", { name: "Rename" }).click();
    await gina.getByRole("heading", { name: "Orchestra", level: 2 }).waitFor();
    await row(gina, "Orchestra").waitFor();
    await about(gina).click();
    await panel(gina).getByRole("button", { name: "Make hal an owner" }).press("Escape");
    await panel(gina).waitFor({ state: "detached" });
    await about(gina).click();
    await panel(gina).getByRole("button", { name: "Remove hal" }).click();
    await change(fred, "gina removed hal").waitFor();
    await panel(gina).getByRole("button", { name: "Remove fred" }).click();
    await fred.getByText("You are no longer a member of this group. You can read what was said.").waitFor();
    assert.equal(await fred.getByRole("textbox", { name: /^Message to/ }).count(), 0);
    await change(fred, "gina removed you").waitFor();
    await write(gina, "without fred");
    await bubble(gina, "without fred").getByRole("img", { name: "Sent" }).waitFor();
    await fred.reload();
    await fred.getByText("You are no longer a member of this group. You can read").waitFor();
    assert.equal(await bubble(fred, "without fred").count(), 0);
  });

  it("show one who came back both its stays, and a line where it was away", async () => {
    const ruth = await browser.signedIn("ruth");
    const sam = await browser.signedIn("sam");
    await makeGroup(ruth, "Reunion", ["sam"]);
    await write(ruth, "first stay");
    await row(sam, "Reunion").click();
    await bubble(sam, "first stay").waitFor();
    await about(ruth).click();
    await panel(ruth).getByRole("button", { name: "Remove sam" }).click();
    await change(sam, "ruth removed you").waitFor();
    await write(ruth, "in between");
    await bubble(ruth, "in between").getByRole("img", { name: "Sent" }).waitFor();
    await panel(ruth).getByLabel("Add people").fill("sam");
    await panel(ruth).getByLabel("Add people").press("Enter");
    await panel(ruth).getByRole("button", { name: "Add sam" }).click();
    await change(sam, "ruth added you").waitFor();
    await write(ruth, "second stay");
    const expected = [
      "first stay",
      "ruth removed you",
      "You were not a member here",
      "ruth added you",
      "second stay",
    ];
    const shown = async (page: Page) => {
      const lines = await page.getByRole("log").innerText();
      return lines.split("\n").filter((line) => [...expected, "in between"].includes(line));
    };
    await becomes(() => shown(sam), expected);
    await sam.reload();
    await becomes(() => shown(sam), expected);
    assert.deepEqual(await shown(ruth), ["first stay", "in between", "second stay"]);
  });

  it("can be left, after one has said so twice", async () => {
    const jan = await browser.signedIn("jan");
    const kim = await browser.signedIn("kim");
    await makeGroup(jan, "Choir", ["kim"]);
    await row(kim, "Choir").click();
    await about(jan).click();
    await panel(jan).getByRole("button", { name: "Leave the group" }).click();
    await panel(jan).getByRole("button", { name: "Stay" }).click();
    await panel(jan).getByRole("button", { name: "Leave the group" }).click();
    await panel(jan).getByRole("button", { name: "Leave", exact: true }).click();
    await change(kim, "jan left; you are an owner now").waitFor();
    await jan.getByText("You are no longer a member of this group. You can read").waitFor();
    await panel(jan).waitFor({ state: "detached" });
    await jan.getByRole("button", { name: "About this group" }).press("Escape");
    await jan.locator("main.conversation").waitFor({ state: "detached" });
    await about(kim).click();
    await panel(kim).getByText("1 member").waitFor();
    await panel(kim).getByRole("button", { name: "Make jan an owner" }).waitFor({ state: "detached" });
  });

  it("take no click while a change is under way, so that none is lost", async () => {
    const nora = await browser.signedIn("nora");
    await makeGroup(nora, "Garden", ["olga", "paul"]);
    await about(nora).click();
    const held = await holdCalls(nora, "**/heddle.thread.v1.ThreadService/SetMemberRole");
    await panel(nora).getByRole("button", { name: "Make olga an owner" }).click();
    await held.asked;
    await panel(nora).getByRole("button", { name: "Remove paul", disabled: true }).waitFor();
    held.release();
    await panel(nora).getByRole("button", { name: "Remove paul" }).click();
    await change(nora, "You removed paul").waitFor();
  });

  it("say nothing about themselves before they are known", async () => {
    await browser.call("quin", "heddle.thread.v1.ThreadService/CreateGroup", {
      name: "Known",
      userIds: ["rita"],
      requestId: Buffer.alloc(16, 3).toString("base64"),
    });
    const quin = await (await browser.context()).newPage();
    const held = await holdCalls(quin, "**/heddle.push.v1.PushService/Subscribe");
    const { threads } = await browser.call("quin", "heddle.thread.v1.ThreadService/ListThreads", {});
    const [{ threadId } = { threadId: "" }] = threads as { threadId: string }[];
    await quin.goto(`/#/thread/${Buffer.from(threadId, "base64").toString("hex")}`);
    await signIn(quin, "quin");
    await held.asked;
    assert.equal(await quin.getByRole("button", { name: /^About this/ }).count(), 0);
    assert.equal(await quin.getByRole("textbox", { name: /^Message to/ }).count(), 0);
    held.release();
    await about(quin).click();
    await panel(quin).getByRole("heading", { name: "2 members" }).waitFor();
  });

  it("do not take people that one has blocked", async () => {
    const lea = await browser.signedIn("lea");
    await browser.call("lea", "heddle.thread.v1.ThreadService/BlockUser", {
      userId: "max",
      requestId: Buffer.alloc(16, 7).toString("base64"),
    });
    await makeGroup(lea, "Quiet", []);
    await about(lea).click();
    await panel(lea).getByLabel("Add people").fill("max ");
    await panel(lea).getByRole("button", { name: "Add max" }).click();
    await panel(lea).getByRole("alert").getByText("You have blocked max.").waitFor();
    browser.problems.length = 0; // What the browser logs of a refused request.
  });
});

describe("Blocks on the page", function () {
  this.timeout(90_000);
  const browser = PageBrowser.ofSuite();

  it("end a chat from both sides until they are taken back", async () => {
    const ann = await browser.signedIn("ann");
    const bob = await browser.signedIn("bob");
    await startChat(ann, "bob");
    await write(ann, "hello");
    await row(bob, "ann").click();
    await bubble(bob, "hello").waitFor();
    await row(ann, "bob").locator("> .dot").waitFor();
    await ann.getByRole("button", { name: "About this chat" }).click();
    await ann.getByRole("button", { name: "Block bob" }).click();
    await ann.getByText("You have blocked bob. Neither of you can write here.").waitFor();
    await row(ann, "bob").getByRole("img", { name: "Blocked" }).waitFor();
    await row(ann, "bob").locator("> .dot").waitFor({ state: "detached" });
    await write(bob, "why?");
    await bubble(bob, "why?").getByText("They take no messages from you").waitFor();
    assert.equal(await bubble(ann, "why?").count(), 0);
    await ann.getByRole("button", { name: "Unblock", exact: true }).click();
    await ann.getByLabel("Message to bob").waitFor();
    await bubble(bob, "why?").getByRole("button", { name: "Try again" }).click();
    await bubble(ann, "why?").waitFor();
    await row(ann, "bob").locator("> .dot").waitFor();
  });

  it("are not offered before it is known whether there is one", async () => {
    await browser.write("cleo", "dan", ["hello"]);
    const requestId = Buffer.alloc(16, 5).toString("base64");
    await browser.call("cleo", "heddle.thread.v1.ThreadService/BlockUser", { userId: "dan", requestId });
    const cleo = await (await browser.context()).newPage();
    const held = await holdCalls(cleo, "**/heddle.push.v1.PushService/Subscribe");
    await cleo.goto("/#/with/dan");
    await signIn(cleo, "cleo");
    await held.asked;
    assert.equal(await cleo.getByRole("button", { name: "About this chat" }).count(), 0);
    held.release();
    await cleo.getByRole("button", { name: "About this chat" }).click();
    await cleo.getByRole("button", { name: "Unblock dan" }).waitFor();
    assert.equal(await cleo.getByRole("button", { name: "Block dan", exact: true }).count(), 0);
  });
});
