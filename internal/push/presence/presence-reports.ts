import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import type { SessionDown, SessionReport, SessionUp } from "../../base/presence.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import type { Tick } from "../../stream/each-tick.ts";
import { DIGEST_EVERY_MS, DIGEST_PART, DOWNS, DOWNS_KEPT_MS, REPORT_AGAIN_MS, REPORT_MS } from "../limits.ts";
import type { PresenceAttachment } from "../ports.ts";
import type { PresenceLinks } from "./presence-links.ts";

/** A session, with monotonic ms. */
interface Known {
  readonly userId: string;
  readonly sinceMs: number;
  /** When it ended; Infinity: it has not. */
  endedAtMs: number;
}

/** A digest of which an instance has got a part. */
interface Digest {
  /** The instances among which owners are looked for. */
  readonly ring: readonly string[];
  /** What has not been looked at. */
  readonly rest: Iterator<readonly [name: string, session: Known]>;
}

/** What one instance has not confirmed. */
interface Outbox {
  /** Names of sessions that have come or gone. */
  readonly news: Set<string>;
  /** A new digest is to begin, in the place of one that has. */
  isDigestDue: boolean;
  digest: Digest | undefined;
  /** The report that is under way. */
  sending: Promise<void> | undefined;
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
 * time. A digest goes in parts, so that a hundred thousand sessions hold up neither this process nor the news, which go
 * with the next part; only its last part counts as the whole. What was not confirmed is told again, after a failure as a
 * digest from the beginning; a digest names the sessions that ended within DOWNS_KEPT_MS too, so that no down is lost
 * with a link or an instance.
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
    const current = new Set(this.#init.links.all);
    for (const attachment of this.#outboxes.keys()) {
      if (!current.has(attachment)) this.#outboxes.delete(attachment);
    }
    for (const attachment of current) this.#outboxOf(attachment).isDigestDue = true;
    this.#flushSoon();
  }

  /** Sends the news that wait, once, and stops. Resolves when they are taken, or could not be. */
  async close(): Promise<void> {
    this.#cancelDigest();
    const outboxes = [...this.#outboxes];
    this.#outboxes.clear();
    const last = async ([to, outbox]: (typeof outboxes)[number]) => {
      await outbox.sending;
      if (outbox.news.size > 0) await this.#send(to, { ...outbox, isDigestDue: false, digest: undefined });
    };
    await Promise.all(outboxes.map(last));
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
      outbox = { news: new Set(), isDigestDue: true, digest: undefined, sending: undefined };
      this.#outboxes.set(attachment, outbox);
    }
    return outbox;
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#init.tick(() => {
      this.#isFlushDue = false;
      for (const [to, outbox] of this.#outboxes) {
        if (!outbox.sending && hasMore(outbox)) outbox.sending = this.#send(to, outbox);
      }
    });
  }

  /** Never rejects. */
  async #send(to: PresenceAttachment, outbox: Outbox): Promise<void> {
    const { deadlines, clock } = this.#init;
    const report = this.#nextReport(to, outbox);
    try {
      await deadlines.bound(to.report(report), REPORT_MS, () => storeUnavailable("presence"));
      outbox.sending = undefined;
      if (hasMore(outbox)) this.#flushSoon();
    } catch {
      outbox.sending = undefined;
      outbox.isDigestDue = true; // Whatever of it was taken: the digest says all of it again.
      clock.after(REPORT_AGAIN_MS, () => {
        if (this.#outboxes.get(to) === outbox) this.#flushSoon();
      });
    }
  }

  /** So many of the news, and the next part of the digest if there is one. */
  #nextReport(to: PresenceAttachment, outbox: Outbox): SessionReport {
    if (outbox.isDigestDue) {
      this.#forgetDowns();
      outbox.isDigestDue = false;
      outbox.digest = { ring: this.#init.links.ring, rest: this.#sessions() };
    }
    const names = takeFirst(outbox.news, DIGEST_PART);
    const { digest } = outbox;
    const isWhole = digest !== undefined && this.#takePart(digest, to, names);
    if (isWhole) outbox.digest = undefined;
    return this.#reportOf(names, isWhole ? digest.ring : undefined);
  }

  /** Looks at DIGEST_PART more sessions. Returns whether there are no others. */
  #takePart({ rest }: Digest, to: PresenceAttachment, names: string[]): boolean {
    for (let looked = 0; looked < DIGEST_PART; looked++) {
      const { value, done } = rest.next();
      if (done) return true;
      const [name, { userId }] = value;
      if (this.#init.links.linkOf(userId) === to) names.push(name);
    }
    return false;
  }

  /** All, also those that come while they are being looked at; one that ends meanwhile is news. */
  *#sessions(): Generator<readonly [string, Known], undefined> {
    yield* this.#up;
    yield* this.#down;
    return undefined;
  }

  #reportOf(names: readonly string[], ring: readonly string[] | undefined): SessionReport {
    const ups: SessionUp[] = [];
    const downs: SessionDown[] = [];
    for (const name of names) {
      const up = this.#up.get(name);
      const down = this.#down.get(name);
      if (up) ups.push(this.#upOf(name, up));
      else if (down) downs.push(this.#downOf(name, down));
    }
    return { ring, ups, downs };
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

function hasMore({ isDigestDue, digest, news }: Outbox): boolean {
  return isDigestDue || digest !== undefined || news.size > 0;
}

function takeFirst(from: Set<string>, count: number): string[] {
  const taken: string[] = [];
  for (const name of from) {
    if (taken.length === count) break;
    from.delete(name);
    taken.push(name);
  }
  return taken;
}
