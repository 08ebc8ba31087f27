import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { devTokens, ROOT } from "../programs/heddle-process.ts";
import { launchChromium } from "../programs/page-browser.ts";
import { RealServer } from "../programs/real-server.ts";
import { nodeOf, outsideEnv } from "../programs/tools.ts";

const run = promisify(execFile);

/** The oldest that the package promises to run on, as Debian and others still have it, and the one after it. */
const NODE_20 = "20.20.2";
const NODE_22 = "22.23.5";

describe("The packed client, in a project that has nothing of this checkout", function () {
  this.timeout(300_000);
  const server = new RealServer();
  const problems: string[] = [];
  let project = "";

  before(async () => {
    project = await mkdtemp(join(tmpdir(), "heddle-outside-"));
    const env = outsideEnv();
    await run("npm", ["pack", "--pack-destination", project], { cwd: join(ROOT, "client"), env });
    const [tarball] = await readdir(project);
    assert.match(tarball ?? "", /^heddle-client-\d+\.\d+\.\d+\.tgz$/);
    await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    const packages = [`./${tarball}`, `@types/node@${devDependencies["@types/node"]}`];
    await run("npm", ["install", "--prefer-offline", ...packages], { cwd: project, env });
    await cp(join(ROOT, "docs/examples/typescript"), project, { recursive: true });
  });
  after(() => rm(project, { recursive: true, force: true }));

  /** As somebody's own tsc: types are looked up from the project, those of the package checked as well. */
  async function compile(...args: string[]): Promise<void> {
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    await run(tsc, args, { cwd: project }).catch((fault: { stdout: string }) => assert.fail(fault.stdout));
  }

  it("compiles with tsc, as nodenext and for bundlers, without Node's types in a page", async () => {
    await compile("-p", "tsconfig.json");
    await compile("-p", "tsconfig.page.json");
    await compile("-p", "tsconfig.page.json", "--module", "nodenext", "--moduleResolution", "nodenext");
  });

  for (const version of [NODE_20, NODE_22]) {
    it(`chats from Node ${version}`, async () => {
      await compile("-p", "tsconfig.json");
      const node = await nodeOf(version);
      const [major = ""] = version.split(".");
      const [one, other] = [`ann${major}`, `bob${major}`];
      const tokens = await devTokens(server.addresses.webUrl, [one, other]);
      const chat = async (user: string, peer: string) => {
        const args = ["chat.js", server.addresses.grpcUrl, user, tokens[user] ?? "", peer, `from ${user}`];
        return (await run(node, args, { cwd: project, timeout: 60_000 })).stdout;
      };
      const [said, answered] = await Promise.all([chat(one, other), chat(other, one)]);
      assert.match(said, new RegExp(`^${one}, [12]: from ${one}\n${other}, [12]: from ${other}\n$`));
      assert.match(answered, new RegExp(`^${other}, [12]: from ${other}\n${one}, [12]: from ${one}\n$`));
    });
  }

  it("chats from a page that vite builds for production", async () => {
    await build({
      configFile: false,
      root: project,
      logLevel: "warn",
      build: { target: "baseline-widely-available", rolldownOptions: { input: join(project, "page.html") } },
    });
    const tokens = await devTokens(server.addresses.webUrl, ["cleo", "dan"]);
    const site = await serve(join(project, "dist"));
    const browser = await launchChromium();
    try {
      const cleo = await open(browser, site.url, { user: "cleo", token: tokens.cleo ?? "", peer: "dan" });
      const dan = await open(browser, site.url, { user: "dan", token: tokens.dan ?? "", peer: "cleo" });
      await cleo.getByLabel("Message", { exact: true }).fill("from a page");
      await cleo.getByRole("button").click();
      await dan.getByText("cleo: from a page", { exact: true }).waitFor();
      await cleo.getByText("cleo: from a page", { exact: true }).waitFor();
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      await site.close();
    }
  });

  /** The example's page, as one user. What it throws or logs as an error is a problem. */
  async function open(browser: Browser, url: string, query: Record<string, string>) {
    const page = await (await browser.newContext()).newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    const where = new URLSearchParams({ url: server.addresses.webUrl, ...query });
    await page.goto(`${url}/page.html?${where}`);
    return page;
  }
});

/** Serves a folder's files on a free port of this machine. */
async function serve(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  const files = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" });
    response.end(bytes);
  });
  files.listen(0, "127.0.0.1");
  await once(files, "listening");
  return {
    url: `http://127.0.0.1:${(files.address() as AddressInfo).port}`,
    close: async () => {
      files.closeAllConnections();
      files.close();
      await once(files, "close");
    },
  };
}
