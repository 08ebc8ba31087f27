import type { Browser, Page } from "playwright-core";
import { signIn, startChat, write } from "../../programs/page-browser.ts";
import type { Member, Sighting } from "./member.ts";

/** The page in a browser, as a person sees it: what it shows is read from its DOM. */
export class PageMember implements Member {
  readonly userId: string;
  /** Its tab, for what only a page can be asked. */
  readonly page: Page;
  /** What the page threw. */
  readonly faults: string[] = [];

  private constructor(userId: string, page: Page) {
    this.userId = userId;
    this.page = page;
    page.on("pageerror", (error) => this.faults.push(String(error)));
  }

  /** Signs in and opens the chat with the other user. */
  static async open(browser: Browser, webUrl: string, userId: string, peer: string): Promise<PageMember> {
    const context = await browser.newContext({ baseURL: webUrl });
    context.setDefaultTimeout(20_000);
    const member = new PageMember(userId, await context.newPage());
    await member.page.goto("/");
    await signIn(member.page, userId);
    await startChat(member.page, peer);
    return member;
  }

  send(text: string): Promise<void> {
    return write(this.page, text);
  }

  async sees(seq: number): Promise<void> {
    await this.page.waitForFunction(
      (count) => document.querySelectorAll(".bubble[data-seq]").length >= count,
      seq,
    );
  }

  async view(): Promise<readonly Sighting[]> {
    const shown = await this.page.locator(".bubble").evaluateAll((bubbles) =>
      bubbles.map((bubble) => ({
        seq: Number(bubble.getAttribute("data-seq")),
        clientId: bubble.getAttribute("data-key") ?? "",
        said: bubble.querySelector(".for-listeners")?.textContent ?? "",
        text: bubble.querySelector(".text")?.textContent ?? "",
        createdAtMs: Date.parse(bubble.querySelector("time")?.dateTime ?? ""),
      })),
    );
    return shown.map(({ said, ...rest }) => {
      const name = said.replace(/: $/, "");
      return { ...rest, sender: name === "You" ? this.userId : name };
    });
  }

  /** A person reads by looking: the page says it by itself. */
  async read(): Promise<void> {
    await this.page.locator(".bubble").last().scrollIntoViewIfNeeded();
  }

  /** One's own last message up to there has the tick of a message that was read. */
  async seesRead(_userId: string, seq: number): Promise<void> {
    await this.page.waitForFunction((upTo) => {
      const own = [...document.querySelectorAll<HTMLElement>(".bubble.own[data-seq]")];
      const last = own.filter((bubble) => Number(bubble.dataset.seq) <= upTo).at(-1);
      return last?.classList.contains("read");
    }, seq);
  }
}
