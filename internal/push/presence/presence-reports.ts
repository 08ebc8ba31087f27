import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import type { SessionDown, SessionReport, SessionUp } from "../../base/presence.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import type { Tick } from "../../stream/each-tick.ts";
import { DIGEST_EVERY_MS, DOWNS, DOWNS_KEPT_MS, REPORT_AGAIN_MS, REPORT_MS } from "../limits.ts";
import type { PresenceAttachment } from "../ports.ts";
import type { PresenceLinks } from "./presence-links.ts";

/** A session, with monotonic ms. */
interface Known {
  readonly userId: string;
  readonly sinceMs: number;
  /** When it ended; Infinity: it has not. */
  endedAtMs: number;
}

/** What one instance has not confirmed. */
interface Outbox {
  /** Names of sessions that have come or gone. */
  readonly news: Set<string>;
  isDigestDue: boolean;
  isSending: boolean;
}

export interface PresenceReportsInit {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly tick: Tick;
  readonly links: PresenceLinks;
}

/**
 * Tells presence instances of this push server's sessions (docs/design.md, section 8): each up and down in the next
 * tick, everything every DIGEST_EVERY_MS and whenever the ring changes. To each instance one report is under way at a
 * time. What was not confirmed is told again, after a failure as a digest; a digest names the sessions that ended within
 * DOWNS_KEPT_MS too, so that no down is lost with a link or an instance.
 */
export class PresenceReports {
  readonly #init: PresenceReportsInit;
  readonly #up = new Map<string, Known>();
  /** Those that ended, the longest ago first. */
  readonly #down = new Map<string, Known>();
  readonly #outboxes = new Map<PresenceAttachment, Outbox>();
  #isFlushDue = false;
  #cancelDigest = () => {};

  constructor(init: PresenceReportsInit) {
    this.#init = init;
    this.#digestLater();
    this.digest();
  }

  /** A session of the user has opened. `name` is its own for ever. */
  opened(name: string, userId: string): void {
    const sinceMs = this.#init.clock.monotonicMs();
    this.#up.set(name, { userId, sinceMs, endedAtMs: Number.POSITIVE_INFINITY });
    this.#note(name, userId);
  }

  /** The session is over. */
  ended(name: string): void {
    const session = this.#up.get(name);
    if (!session) return;
    session.endedAtMs = this.#init.clock.monotonicMs();
    this.#up.delete(name);
    this.#down.set(name, session);
    this.#forgetDowns();
    this.#note(name, session.userId);
  }

  /** Sends everything to every instance, those that are new among them. */
  digest(): void {
    const { links } = this.#init;
    const current = new Set(links.all);
    for (const attachment of this.#outboxes.keys()) {
      if (!current.has(attachment)) this.#outboxes.delete(attachment);
    }
    for (const attachment of current) this.#outboxOf(attachment).isDigestDue = true;
    this.#flushSoon();
  }

  /** Sends what waits, once, and stops. Resolves when it is taken, or could not be. */
  async close(): Promise<void> {
    this.#cancelDigest();
    await Promise.all([...this.#outboxes].map(([to, outbox]) => this.#send(to, outbox)));
    this.#outboxes.clear();
  }

  #note(name: string, userId: string): void {
    const attachment = this.#init.links.linkOf(userId);
    if (!attachment) return; // The digest to the instance that will own the user names it.
    this.#outboxOf(attachment).news.add(name);
    this.#flushSoon();
  }

  #outboxOf(attachment: PresenceAttachment): Outbox {
    let outbox = this.#outboxes.get(attachment);
    if (!outbox) {
      outbox = { news: new Set(), isDigestDue: true, isSending: false };
      this.#outboxes.set(attachment, outbox);
    }
    return outbox;
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#init.tick(() => {
      this.#isFlushDue = false;
      for (const [to, outbox] of this.#outboxes) void this.#send(to, outbox);
    });
  }

  async #send(to: PresenceAttachment, outbox: Outbox): Promise<void> {
    if (outbox.isSending || (!outbox.isDigestDue && outbox.news.size === 0)) return;
    outbox.isSending = true;
    const report = outbox.isDigestDue ? this.#digestFor(to) : this.#newsOf(outbox);
    outbox.isDigestDue = false;
    outbox.news.clear();
    const { deadlines, clock } = this.#init;
    try {
      await deadlines.bound(to.report(report), REPORT_MS, () => storeUnavailable("presence"));
      outbox.isSending = false;
      if (outbox.isDigestDue || outbox.news.size > 0) this.#flushSoon();
    } catch {
      outbox.isSending = false;
      outbox.isDigestDue = true; // Whatever of it was taken: the digest says all of it again.
      clock.after(REPORT_AGAIN_MS, () => {
        if (this.#outboxes.get(to) === outbox) this.#flushSoon();
      });
    }
  }

  #newsOf({ news }: Outbox): SessionReport {
    const ups: SessionUp[] = [];
    const downs: SessionDown[] = [];
    for (const name of news) {
      const up = this.#up.get(name);
      const down = this.#down.get(name);
      if (up) ups.push(this.#upOf(name, up));
      else if (down) downs.push(this.#downOf(name, down));
    }
    return { isDigest: false, ups, downs };
  }

  #digestFor(to: PresenceAttachment): SessionReport {
    this.#forgetDowns();
    const ups: SessionUp[] = [];
    const downs: SessionDown[] = [];
    const { links } = this.#init;
    for (const [name, up] of this.#up) if (links.linkOf(up.userId) === to) ups.push(this.#upOf(name, up));
    for (const [name, down] of this.#down) {
      if (links.linkOf(down.userId) === to) downs.push(this.#downOf(name, down));
    }
    return { isDigest: true, ups, downs };
  }

  #upOf(name: string, { userId, sinceMs }: Known): SessionUp {
    return { name, userId, ageMs: this.#init.clock.monotonicMs() - sinceMs };
  }

  #downOf(name: string, { userId, sinceMs, endedAtMs }: Known): SessionDown {
    const ageMs = this.#init.clock.monotonicMs() - endedAtMs;
    return { name, userId, ageMs, lastedMs: endedAtMs - sinceMs };
  }

  #forgetDowns(): void {
    const beforeMs = this.#init.clock.monotonicMs() - DOWNS_KEPT_MS;
    for (const [name, { endedAtMs }] of this.#down) {
      if (endedAtMs > beforeMs && this.#down.size <= DOWNS) break;
      this.#down.delete(name);
    }
  }

  #digestLater(): void {
    this.#cancelDigest = this.#init.clock.after(DIGEST_EVERY_MS, () => {
      this.digest();
      this.#digestLater();
    });
  }
}
