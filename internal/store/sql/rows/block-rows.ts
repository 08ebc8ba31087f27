import type { Block } from "../../block-store.ts";
import type { blockStatements } from "../block-statements.ts";
import { all, run, type Work } from "../work.ts";

/** Which user has blocked which, as the work of reads and transactions. */
export class BlockRows {
  readonly #statements: ReturnType<typeof blockStatements>;

  constructor(statements: ReturnType<typeof blockStatements>) {
    this.#statements = statements;
  }

  /** Sets the mark, or takes it back. Whether it was another before. */
  *set({ ownerId, otherUserId }: Block, isBlocked: boolean): Work<boolean> {
    const { insertBlock, deleteBlock } = this.#statements;
    return (yield* run(isBlocked ? insertBlock : deleteBlock, { ownerId, otherUserId })) > 0;
  }

  /** See BlockStore.blocksBetween. */
  *between(userId: string, otherIds: readonly string[]): Work<readonly Block[]> {
    const blocks: Block[] = [];
    for (const otherUserId of otherIds) {
      const found = yield* all(this.#statements.readBlocks, { ownerId: userId, otherUserId });
      for (const block of found) blocks.push({ ownerId: block.owner_id, otherUserId: block.other_user_id });
    }
    return blocks;
  }

  /** See BlockStore.listBlocked. */
  *list(ownerId: string, afterUserId: string, limit: number): Work<readonly string[]> {
    const found = yield* all(this.#statements.listBlocked, { ownerId, otherUserId: afterUserId, limit });
    return found.map((block) => block.other_user_id);
  }
}
