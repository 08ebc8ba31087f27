import assert from "node:assert/strict";
import { ErrorReason } from "../../../base/heddle-error.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { directView } from "../../fakes/message/message-ports.ts";
import type { MemoryGroups } from "../../fakes/stores/memory-groups.ts";
import type { ServerParts } from "../append/append-server.ts";
import { expectKnown, inMemory, type Post, ThreadWorld } from "./thread-world.ts";

/** Wraps the parts of a server so that one mechanism of the design is missing. */
export type BlockVariant = (parts: ServerParts, world: BlockWorld) => ServerParts;

/** Either may block the other. */
export const PAIR = ["ann", "bob"] as const;
/** Sends of a history, at most. */
const POSTS = 8;

/** A time between two effects. */
interface Span {
  readonly owner: string;
  readonly from: number;
  to: number;
}

/**
 * A direct thread whose users block one another and take it back, as the thread service does it: stored first, then the
 * epoch raised, then answered (docs/design.md, section 5, Judged at H).
 */
export class BlockWorld extends ThreadWorld {
  /** From the answer to a block to the moment at which some call took it back in the store. */
  readonly blocked: Span[] = [];
  /** Sends that were refused as BLOCKED: a history without one has shown nothing of that. */
  refused = 0;
  readonly #variant: BlockVariant;
  readonly #blocks: MemoryGroups;
  /** Owners whose block is stored, with the effect that stored it. */
  readonly #stored = new Map<string, number>();
  /** Calls of each owner that have no answer: what they do may come at any time. */
  readonly #unanswered = new Map<string, number>();
  /** Since when it is certain that nobody has blocked anybody; undefined: it is not. */
  #freeSince: number | undefined = 0;

  constructor(bucketSize: number, variant: BlockVariant = (parts) => parts) {
    const stores = inMemory();
    super(bucketSize, directThreadId(...PAIR), stores);
    this.#blocks = stores.groups;
    this.#variant = variant;
  }

  /** Blocks, or takes it back. Without an answer the user does it again, or not. */
  async setBlock(owner: string, isBlocked: boolean, place: number): Promise<void> {
    const other = owner === "ann" ? "bob" : "ann";
    this.#freeSince = undefined;
    this.#unanswered.set(owner, (this.#unanswered.get(owner) ?? 0) + 1);
    let stored = 0;
    const store = async () => {
      stored = this.tick();
      this.#freeSince = undefined;
      this.#blocks.setBlock(owner, other, isBlocked);
      if (isBlocked) this.#stored.set(owner, stored);
      else this.#unstore(owner, stored);
    };
    // The thread service is on the same machine as the message service that it calls.
    const name = `thread ${place % 2}`;
    try {
      await this.points.call(name, "thread", true, store);
      await this.server(place).raiseEpoch(this.threadId);
    } catch (error) {
      expectKnown(error);
      return;
    }
    this.#answer(owner, isBlocked, stored);
  }

  /** Tries a send once. A refusal must be right at some moment of the call. */
  async sendOnce(post: Post, place: number): Promise<void> {
    const began = this.tick();
    const refusal = await this.send(post, place);
    if (refusal?.reason !== ErrorReason.BLOCKED) return;
    this.refused += 1;
    const free = this.#freeSince;
    assert.ok(
      free === undefined || free > began,
      "a send was refused as BLOCKED that began after the block was taken back",
    );
  }

  /** Undefined once there are enough. */
  composeNext(userId: string): Post | undefined {
    return this.posts.length < POSTS ? this.compose(userId) : undefined;
  }

  /** Lets all calls end, and brings each send to an end: accepted, or sealed. */
  async finish(): Promise<void> {
    await this.points.drain();
    for (const post of this.posts) {
      for (let round = 0; round < 2 && post.accepted.length === 0 && !post.never; round++)
        await this.drain(this.sendOnce(post, round));
      if (post.accepted.length === 0 && !post.never) await this.drain(this.seal(post, 0));
    }
  }

  /** Throws AssertionError where the log breaks what was answered. After `finish`. */
  async verify(): Promise<void> {
    const log = await this.readLog();
    this.verifyPosts(log);
    for (const [at, { cell }] of log.entries()) {
      const seq = at + 1;
      const committed = this.commits.get(seq)?.tick ?? 0;
      const span = this.blocked.find(({ from, to }) => from < committed && committed < to);
      const isText = cell.body?.kind.case === "text";
      assert.ok(!(span && isText), `seq ${seq} was committed after ${span?.owner}'s block was answered`);
    }
    for (const { seq } of this.posts.flatMap(({ accepted }) => accepted))
      for (const user of PAIR) assert.ok(this.isCovered(user, seq), `${user} was not touched for seq ${seq}`);
  }

  protected vary(parts: ServerParts): ServerParts {
    return this.#variant(parts, this);
  }

  protected async viewOf(userId: string) {
    return PAIR.some((user) => user === userId) ? directView(...PAIR) : undefined;
  }

  /** The block ends where it is taken back in the store, not where that is answered: a send in between may pass. */
  #unstore(owner: string, tick: number): void {
    this.#stored.delete(owner);
    for (const span of this.blocked)
      if (span.owner === owner && span.to === Number.POSITIVE_INFINITY) span.to = tick;
  }

  /** A block holds from its answer on, if no later call of the same owner has changed what is stored. */
  #answer(owner: string, isBlocked: boolean, stored: number): void {
    const now = this.tick();
    if (isBlocked && this.#stored.get(owner) === stored)
      this.blocked.push({ owner, from: now, to: Number.POSITIVE_INFINITY });
    this.#unanswered.set(owner, (this.#unanswered.get(owner) ?? 0) - 1);
    const isQuiet = [...this.#unanswered.values()].every((count) => count === 0);
    if (isQuiet && this.#stored.size === 0) this.#freeSince = now;
  }
}
