import assert from "node:assert/strict";
import {
  bubble,
  PageBrowser,
  signIn,
  startChat,
  write,
} from "../../../internal/testing/trials/programs/page-browser.ts";

describe("Sign-in on the page", function () {
  this.timeout(60_000);
  const browser = PageBrowser.ofSuite();

  it("is by name, lasts through reloads, and offers the name again after sign-out", async () => {
    const page = await browser.signedIn(" ann ");
    await page.reload();
    await page.getByRole("heading", { name: "ann", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    assert.equal(await page.getByLabel("Your name").inputValue(), "ann");
    await page.reload();
    await page.getByLabel("Your name").waitFor();
    assert.deepEqual(browser.problems, []);
  });

  it("says what is wrong with a name, and asks nobody", async () => {
    const page = await (await browser.context()).newPage();
    await page.goto("/");
    await page.getByLabel("Your name").fill("Ann B");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("A name has 1 to 255").waitFor();
  });

  it("is by token as well, with the user that the token names", async () => {
    const page = await (await browser.context()).newPage();
    await page.goto("/");
    await page.getByRole("button", { name: "Use a token instead" }).click();
    await page.getByLabel("Token").fill("not a token");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("This is no token").waitFor();
    await page.getByLabel("Token").fill(await browser.token("tina"));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "tina", level: 1 }).waitFor();
  });

  it("asks for a sign-in again when the server does not believe the token, and keeps what was written", async () => {
    const [head, , signature] = (await browser.token("tom")).split(".");
    const forged = Buffer.from(JSON.stringify({ sub: "tom" })).toString("base64url");
    const page = await (await browser.context()).newPage();
    await page.goto("/");
    await page.getByRole("button", { name: "Use a token instead" }).click();
    await page.getByLabel("Token").fill(`${head}.${forged}.${signature}`);
    await page.keyboard.press("Enter");
    await page.getByText("Your sign-in has run out").waitFor();
    await startChat(page, "uma");
    await write(page, "kept through the sign-in");
    await page.getByRole("button", { name: "Sign in again" }).click();
    await signIn(page, "tom");
    await bubble(page, "kept through the sign-in").getByRole("img", { name: "Sent" }).waitFor();
  });

  it("says when another device has signed this one out, and comes back as a new one", async () => {
    const page = await browser.signedIn("vera");
    await startChat(page, "walt");
    await write(page, "before");
    await bubble(page, "before").getByRole("img", { name: "Sent" }).waitFor();
    const { devices } = await browser.call("vera", "heddle.thread.v1.ThreadService/ListDevices", {});
    const [device] = devices as { deviceId: string }[];
    const requestId = Buffer.alloc(16, 1).toString("base64");
    const revoke = { deviceId: device?.deviceId, requestId };
    await browser.call("vera", "heddle.thread.v1.ThreadService/RevokeDevice", revoke);
    await page.getByText("This browser was signed out from another of your devices.").waitFor();
    await page.getByRole("button", { name: "Sign in again" }).click();
    await signIn(page, "vera");
    await bubble(page, "before").waitFor();
  });

  it("works under every name of this machine", async () => {
    const { port } = new URL(browser.heddle.webUrl);
    const context = await browser.context({ baseURL: `http://localhost:${port}` });
    const page = await browser.signedIn("lola", context);
    await startChat(page, "mo");
    await write(page, "from localhost");
    await bubble(page, "from localhost").getByRole("img", { name: "Sent" }).waitFor();
  });

  it("leaves nothing of the chats in the browser after sign-out", async () => {
    const page = await browser.signedIn("xenia");
    await startChat(page, "yan");
    await write(page, "private");
    await bubble(page, "private").getByRole("img", { name: "Sent" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
  });

  it("says where it cannot work", async () => {
    const context = await browser.context();
    await context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "locks"));
    const page = await context.newPage();
    await page.goto("/");
    await page.getByLabel("Your name").fill("zoe");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "This does not work here" }).waitFor();
    await page.getByRole("alert").getByText("https").waitFor();
  });
});
