import type { Privacy } from "./ports.ts";

/** A list that is being judged. */
interface OpenList {
  readonly viewer: string;
  readonly userIds: ReadonlySet<string>;
  /** Users to be judged: not yet, or once more, because something has changed since that began. */
  readonly doubted: Set<string>;
}

/**
 * Lists of presence that are being judged. What changes who may see which user is applied to those that are under way, so that
 * none is answered by what was so before a block or a leave that was answered meanwhile (docs/design.md, section 8).
 */
export class OpenLists {
  readonly #privacy: Privacy;
  readonly #lists = new Set<OpenList>();

  constructor(privacy: Privacy) {
    this.#privacy = privacy;
  }

  /**
   * Makes an answer of those of the users that the viewer may see, at the moment in which `answer` is called, when what
   * it needs is `there`. Rejects as the stores do.
   */
  async judge<Answer>(
    viewer: string,
    userIds: readonly string[],
    there: Promise<void>,
    answer: (maySee: (userId: string) => boolean) => Answer,
  ): Promise<Answer> {
    const list: OpenList = { viewer, userIds: new Set(userIds), doubted: new Set(userIds) };
    const may = new Map<string, boolean>();
    this.#lists.add(list);
    try {
      for (let isThere = false; !isThere || list.doubted.size > 0; isThere = true) {
        const judged = [...list.doubted];
        list.doubted.clear();
        const judge = async (userId: string) => may.set(userId, await this.#privacy.maySee(viewer, userId));
        await Promise.all([there, ...judged.map(judge)]);
      }
      return answer((userId) => may.get(userId) === true);
    } finally {
      this.#lists.delete(list);
    }
  }

  /** Whether the two may see each other has changed. */
  blockChanged(a: string, b: string): void {
    for (const list of this.#lists) {
      if (list.viewer === a && list.userIds.has(b)) list.doubted.add(b);
      if (list.viewer === b && list.userIds.has(a)) list.doubted.add(a);
    }
  }

  /** Who sees the user was set. */
  visibilityChanged(userId: string): void {
    for (const { userIds, doubted } of this.#lists) if (userIds.has(userId)) doubted.add(userId);
  }

  /** Anything may have changed. */
  allChanged(): void {
    for (const { userIds, doubted } of this.#lists) for (const userId of userIds) doubted.add(userId);
  }

  /** The set of users that these may see, or that may see these, has changed. */
  membersChanged(userIds: readonly string[]): void {
    for (const { viewer, userIds: listed, doubted } of this.#lists) {
      const changed = userIds.includes(viewer) ? listed : userIds.filter((userId) => listed.has(userId));
      for (const userId of changed) doubted.add(userId);
    }
  }
}
