import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Browser, type BrowserContext, type Page, chromium as playwright } from "playwright-core";
import { buildPage } from "../../../../cmd/web/build.ts";
import { type Heddle, startHeddle } from "../../../app/all-in-one.ts";
import { developmentConfig, type HeddleConfig } from "../../../app/settings/config.ts";
import { parseListenAddress } from "../../../rpc/listen-address.ts";
import { chromium } from "./tools.ts";

/** No work of the browser's own beside what a test asks for. */
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A headless Chromium. Close it. */
export async function launchChromium(): Promise<Browser> {
  return await playwright.launch({ executablePath: await chromium(), args: launchArguments() });
}

/** What a started one stands on. */
interface Begun {
  readonly heddle: Heddle;
  readonly chromium: Browser;
  readonly dataDir: string;
}

/** How a suite wants its browser. */
export interface SuiteOptions {
  /** Settings other than those of development. */
  readonly changes?: Partial<HeddleConfig>;
  /** Fails each test during which a page logs an error or throws. */
  readonly demandsNoProblem?: boolean;
}

/** Built once a process, however many suites ask. */
let built: Promise<unknown> | undefined;

/**
 * Heddle with the page of this checkout, on free ports and a data folder of its own, and a headless Chromium to look
 * at it. Each context is a browser of its own; pages of one context are its tabs. `problems` collects what any page
 * logs as an error or throws: a test that expects none asserts that it is empty.
 */
export class PageBrowser {
  /** In order. A test that expects some takes them out. */
  readonly problems: string[] = [];
  #begun: Begun | undefined;
  readonly #profiles: BrowserContext[] = [];
  readonly #tokens = new Map<string, string>();

  private constructor() {}

  /** Starts one, which the caller closes. `changes`: settings other than those of development. */
  static async start(changes: Partial<HeddleConfig> = {}): Promise<PageBrowser> {
    const browser = new PageBrowser();
    await browser.#begin(changes);
    return browser;
  }

  /**
   * One for all tests of a suite. Call it in `describe`, before the suite's own hooks: it is started before the first
   * test and closed after the last. With `demandsNoProblem` a test fails during which a page had a problem; a test that
   * expects some takes them out of `problems`.
   */
  static ofSuite(options: SuiteOptions = {}): PageBrowser {
    const browser = new PageBrowser();
    before(() => browser.#begin(options.changes ?? {}));
    if (options.demandsNoProblem) afterEach(() => assert.deepEqual(browser.problems.splice(0), []));
    after(() => browser.close());
    return browser;
  }

  /** The program under test; another object after `stop`. */
  get heddle(): Heddle {
    return this.#running.heddle;
  }

  get #running(): Begun {
    if (!this.#begun) throw new Error("the browser is not started yet: use it in hooks and tests");
    return this.#begun;
  }

  async #begin(changes: Partial<HeddleConfig>): Promise<void> {
    built ??= buildPage();
    await built;
    const dataDir = await mkdtemp(join(tmpdir(), "heddle-page-"));
    const heddle = await startHeddle(developmentConfig(dataDir, { drainMs: 500, ...changes }));
    this.#begun = { heddle, chromium: await launchChromium(), dataDir };
  }

  /**
   * Stops Heddle, and resolves to how to start it again on the same data, or what `change` makes of it, and the same
   * web address.
   */
  async stop(): Promise<(change?: (dataDir: string) => Promise<void>) => Promise<void>> {
    const webAddress = parseListenAddress(new URL(this.heddle.webUrl).host);
    if (!webAddress) throw new Error(`no address: ${this.heddle.webUrl}`);
    const begun = this.#running;
    await begun.heddle.close();
    return async (change) => {
      await change?.(begun.dataDir);
      const heddle = await startHeddle(developmentConfig(begun.dataDir, { drainMs: 500, webAddress }));
      this.#begun = { ...begun, heddle };
    };
  }

  /** A browser with nothing stored. */
  async context(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
    const context = await this.#running.chromium.newContext({ baseURL: this.heddle.webUrl, ...options });
    this.#watch(context);
    return context;
  }

  /** A browser whose user has blocked site data: every storage, and every lock, is denied to pages. */
  async contextWithoutSiteData(): Promise<BrowserContext> {
    const profile = join(this.#running.dataDir, `profile-${this.#profiles.length}`);
    await mkdir(join(profile, "Default"), { recursive: true });
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(blocked));
    const options = {
      executablePath: await chromium(),
      args: launchArguments(),
      baseURL: this.heddle.webUrl,
    };
    const context = await playwright.launchPersistentContext(profile, options);
    this.#profiles.push(context);
    this.#watch(context);
    return context;
  }

  /** A tab in which somebody has signed in by name. */
  async signedIn(name: string, context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await this.context())).newPage();
    await page.goto("/");
    await signIn(page, name);
    return page;
  }

  /** A user token. */
  async token(userId: string): Promise<string> {
    const response = await fetch(`${this.heddle.webUrl}/dev/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ users: [userId] }),
    });
    const { tokens } = (await response.json()) as { tokens: Record<string, string> };
    return tokens[userId] ?? "";
  }

  /** Sends texts from one user to another, in order, by unary calls: history to look at. */
  async write(from: string, to: string, texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const clientId = Buffer.from(crypto.randomUUID().replaceAll("-", ""), "hex").toString("base64");
      const send = { toUserId: to, clientId, attempt: 1, body: { text: { text } } };
      await this.call(from, "heddle.message.v1.MessageService/Send", send);
    }
  }

  /** A unary call in Connect's JSON, as a user. Rejects with an Error that has the answer. */
  async call(userId: string, method: string, request: object): Promise<Record<string, unknown>> {
    const token = this.#tokens.get(userId) ?? (await this.token(userId));
    this.#tokens.set(userId, token);
    const response = await fetch(`${this.heddle.webUrl}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  /** Ends browser and program, and removes the data. Nothing if it was never started. */
  async close(): Promise<void> {
    if (!this.#begun) return;
    const { heddle, chromium, dataDir } = this.#begun;
    for (const context of this.#profiles) await context.close();
    await chromium.close();
    await heddle.close();
    await rm(dataDir, { recursive: true, force: true });
  }

  #watch(context: BrowserContext): void {
    context.setDefaultTimeout(30_000);
    context.on("weberror", (error) => this.problems.push(String(error.error())));
    context.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
  }
}

/** Chromium does not sandbox what root starts. */
function launchArguments(): string[] {
  return process.getuid?.() === 0 ? [...quiet, "--no-sandbox"] : quiet;
}

/** Fills the sign-in form. Resolves when the list of chats stands there. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Chats" }).waitFor();
}

/** Opens the chat with somebody that the list need not have yet. */
export async function startChat(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByLabel("Who do you want to write to?").fill(name);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name, level: 2 }).waitFor();
}

/**
 * Asks the page until the answer is the wanted one: what a key or a click leads to may come a frame later. Rejects
 * with an AssertionError when it is another one for 15 s.
 */
export async function becomes<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (isDeepStrictEqual(answer, wanted)) return;
    if (Date.now() > end) assert.deepEqual(answer, wanted);
    await pause(10);
  }
}

/** Calls that a page makes and that are answered when the test says so. */
export interface HeldCalls {
  /** Resolves when the page has made the first. */
  readonly asked: Promise<void>;
  /** Lets those that are held and all later ones go on. */
  release(): void;
}

/** Holds a page's calls to addresses that match. */
export async function holdCalls(page: Page, pattern: string): Promise<HeldCalls> {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await page.route(pattern, async (route) => {
    asked.resolve();
    await released.promise;
    await route.continue();
  });
  return { asked: asked.promise, release: () => released.resolve() };
}

/** Writes into the open chat, and sends with Enter. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Message to/ }).fill(text);
  await page.keyboard.press("Enter");
}

/** The bubble with exactly this text. */
export function bubble(page: Page, text: string) {
  return page.locator(".bubble", { has: page.locator(".text").getByText(text, { exact: true }) });
}

/** The row of a chat in the list. */
export function row(page: Page, title: string) {
  return page.locator("button.row", { has: page.locator(".name").getByText(title, { exact: true }) });
}
