import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, type Page, chromium as playwright } from "playwright-core";
import { build } from "vite";
import { chromium } from "../../internal/testing/trials/programs/tools.ts";
import { storageSuite } from "../storage/storage.suite.ts";
import type { Change, Json, Storage } from "../storage/storage.ts";

/** The storage's own code, as one script that puts it on the window of a page. */
async function script(): Promise<string> {
  const entry = "virtual:entry";
  const module = join(import.meta.dirname, "indexed-db.ts");
  const result = await build({
    configFile: false,
    logLevel: "warn",
    plugins: [
      {
        name: entry,
        resolveId: (id) => (id === entry ? entry : null),
        load: (id) =>
          id === entry
            ? `import { IndexedDbStorage } from ${JSON.stringify(module)}; window.IndexedDbStorage = IndexedDbStorage;`
            : null,
      },
    ],
    build: { write: false, minify: false, rollupOptions: { input: entry, output: { format: "iife" } } },
  });
  const [output] = [result].flat();
  const chunk = output && "output" in output ? output.output[0] : undefined;
  assert.ok(chunk && "code" in chunk);
  return chunk.code;
}

/** What the script put on the page's window. */
interface PageWindow {
  readonly IndexedDbStorage: { open(name: string, onKept?: (isKept: boolean) => void): Promise<Storage> };
  readonly told: boolean[];
  readonly storages: Map<number, Storage>;
}

declare const window: PageWindow & { storages?: Map<number, Storage>; told?: boolean[] };

/** A storage in the page, as if it were here. */
class StorageInPage implements Storage {
  readonly #page: Page;
  readonly #id: number;
  #isClosed = false;

  constructor(page: Page, id: number) {
    this.#page = page;
    this.#id = id;
  }

  async load(): Promise<ReadonlyMap<string, Json>> {
    const text = await this.#page.evaluate(
      async (id) => JSON.stringify([...((await window.storages.get(id)?.load()) ?? [])]),
      this.#id,
    );
    return new Map(JSON.parse(text) as [string, Json][]);
  }

  async write(changes: readonly Change[], options: { readonly durable?: boolean } = {}): Promise<void> {
    assert.equal(this.#isClosed, false);
    const pairs = changes.map(({ key, value }) => (value === undefined ? [key] : [key, value]));
    const asked = { id: this.#id, text: JSON.stringify(pairs), durable: options.durable ?? false };
    await this.#page.evaluate(async ({ id, text, durable }) => {
      const list = (JSON.parse(text) as [string, Json?][]).map(([key, value]) => ({ key, value }));
      await window.storages.get(id)?.write(list, { durable });
    }, asked);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#page.evaluate(async (id) => await window.storages.get(id)?.close(), this.#id);
  }
}

describe("In Chromium", function () {
  this.timeout(60_000);
  let server: Server;
  let browser: Browser;
  let page: Page;
  let ids = 0;

  before(async () => {
    const code = await script();
    server = createServer((request, response) => {
      const isScript = request.url === "/script.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? code : '<!doctype html><script src="/script.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const args = ["--disable-gpu", "--no-first-run", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
    browser = await playwright.launch({ executablePath: await chromium(), args });
    page = await openPage();
  });

  after(async () => {
    await browser?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  let context: Awaited<ReturnType<Browser["newContext"]>> | undefined;

  async function openPage(): Promise<Page> {
    context ??= await browser.newContext();
    const fresh = await context.newPage();
    await fresh.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return fresh;
  }

  /** `isLenient`: it holds what the browser does not keep, and the page notes what it was told in `told`. */
  async function open(isLenient = false): Promise<Storage> {
    const id = ++ids;
    await page.evaluate(
      async ({ key, isLenient }) => {
        window.storages ??= new Map();
        window.told ??= [];
        const onKept = isLenient ? (isKept: boolean) => window.told.push(isKept) : undefined;
        window.storages.set(key, await window.IndexedDbStorage.open("test", onKept));
      },
      { key: id, isLenient },
    );
    return new StorageInPage(page, id);
  }

  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** A browser without room: a new one, since Chromium remembers for half a minute how much there was. */
  async function withoutRoom() {
    await context?.close();
    context = undefined;
    page = await openPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: origin(), quotaSize: 1 });
    return devtools;
  }

  storageSuite("IndexedDbStorage", open);

  it("opens again and fills itself anew when the site's data is cleared under it", async () => {
    const storage = await open();
    await storage.write([{ key: "early", value: "before" }]);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Storage.clearDataForOrigin", { origin: origin(), storageTypes: "all" });
    await storage.write([{ key: "late", value: "after" }], { durable: true });
    await storage.close();
    await page.close();
    page = await openPage();
    const again = await open();
    const kept = await again.load();
    assert.deepEqual([kept.get("early"), kept.get("late")], ["before", "after"]);
    await again.close();
  });

  it("rejects what does not fit, and keeps the rest", async () => {
    const devtools = await withoutRoom();
    const storage = await open();
    await assert.rejects(storage.write([{ key: "large", value: "x".repeat(1_000_000) }], { durable: true }));
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: origin() });
    await storage.write([{ key: "small", value: 1 }]);
    await storage.close();
    const again = await open();
    assert.deepEqual([(await again.load()).has("large"), (await again.load()).get("small")], [false, 1]);
    await again.close();
  });

  it("holds what does not fit where it may, says so, and brings it when there is room", async () => {
    const devtools = await withoutRoom();
    const storage = await open(true);
    await storage.write([{ key: "large", value: "x".repeat(1_000_000) }], { durable: true });
    assert.deepEqual(await page.evaluate(() => window.told), [false]);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: origin() });
    const told = page.waitForFunction(() => window.told.at(-1));
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      await storage.write([{ key: "small", value: 2 }]);
      if (await page.evaluate(() => window.told.at(-1))) break;
    }
    await told;
    await storage.close();
    const again = await open();
    const kept = await again.load();
    assert.deepEqual([String(kept.get("large")).length, kept.get("small")], [1_000_000, 2]);
    await again.close();
  });

  it("keeps what was written when its tab is closed without a word", async () => {
    const storage = await open();
    await storage.write([{ key: "kept", value: "here" }], { durable: true });
    await page.close();
    page = await openPage();
    const again = await open();
    assert.equal((await again.load()).get("kept"), "here");
    await again.close();
  });
});
