import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { developmentConfig } from "../../../app/settings/config.ts";
import { IdentityProvider } from "../../fakes/neighbours/identity-provider.ts";
import { ROOT } from "../programs/heddle-process.ts";
import { bubble, PageBrowser, row, write } from "../programs/page-browser.ts";

/** The form of `sub` (or of the claim that stands for it) of each provider. */
const FORMS = {
  "Auth0, own database": "auth0|507f1f77bcf86cd799439020",
  "Auth0, by Google": "google-oauth2|103547991597142817347",
  Google: "110169484474386276334",
  Firebase: "SUgVXa7bnzdZQjn1qQ8rKZf3kFm2",
  Cognito: "us-east-1:7d8ca528-4931-4254-9273-ea5ee853f271",
  Entra: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ_-x",
  Okta: "00uid4BxXw6I6TV4m0g3",
  Apple: "001999.b9f6c0a5ff2f4b0f9b2f9d2f8e0a7c31.0606",
  "an e-mail address": "Ann.O'Neil+chat@Example.co.uk",
  Keycloak: "f:3a5b0c9e-8d41-4e66-a1f8-7c1d2b4e5f60:ann",
} as const;

/** Production, with an identity provider that the test serves; keys of both kinds, each used from some user on. */
describe("Sign-in with the tokens of an identity provider", function () {
  this.timeout(120_000);
  let provider: IdentityProvider;
  let browser: PageBrowser;
  let folder: string;

  before(async () => {
    provider = await IdentityProvider.start("RS256");
    folder = await mkdtemp(join(tmpdir(), "heddle-sign-in-"));
    const { auth } = developmentConfig(folder);
    const trusted = { issuer: provider.issuer, jwksUrl: new URL(provider.jwksUrl) };
    browser = await PageBrowser.start({ profile: "production", auth: { ...auth, provider: trusted } });
    await provider.addKey("ES256");
  });
  after(async () => {
    await browser.close();
    await provider.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function chat(user: string, token: string, ...args: string[]) {
    const file = join(folder, "token");
    await writeFile(file, token);
    const { grpcUrl, webUrl } = browser.heddle;
    const env = { ...process.env, XDG_STATE_HOME: folder, HEDDLE_GRPC_URL: grpcUrl, HEDDLE_WEB_URL: webUrl };
    const child = spawn(join(ROOT, "bin/chat"), ["as", user, "--token-file", file, ...args], { env });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk));
    const [code] = (await once(child, "close")) as [number];
    return { code, out };
  }

  const forms = Object.entries(FORMS);
  for (const [at, [name, page]] of forms.entries()) {
    const [, terminal] = forms[(at + 1) % forms.length] ?? ["", ""];
    const kid = at % 2 ? "ES256-2" : "RS256-1";
    it(`works in page and terminal: ${name}, ${kid}`, async () => {
      const tab = await (await browser.context()).newPage();
      await tab.goto("/");
      await tab.getByRole("button", { name: "Use a token instead" }).click();
      await tab.getByLabel("Token").fill(await provider.sign(page, { kid }));
      await tab.keyboard.press("Enter");
      await tab.getByRole("navigation", { name: "Chats" }).waitFor();
      const token = await provider.sign(terminal, { kid });
      const sent = await chat(terminal, token, "to", `user:${page}`, "hello", "page");
      assert.equal(sent.code, 0, sent.out);
      await row(tab, terminal).click();
      await bubble(tab, "hello page").waitFor();
      await tab.reload();
      await bubble(tab, "hello page").waitFor();
      await write(tab, "hello terminal");
      await bubble(tab, "hello terminal")
        .getByRole("img", { name: /Sent|Delivered/ })
        .waitFor();
      const history = await chat(terminal, token, "history", `user:${page}`);
      assert.match(history.out, /hello page.*hello terminal/s);
      await tab.close();
      assert.deepEqual(browser.problems, []);
    });
  }

  it("asks the provider for its keys once for all of them", () => {
    assert.equal(provider.fetches, 1);
  });
});
