import type { Block } from "../block-store.ts";
import type { blockStatements } from "../sql/block-statements.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** Which user has blocked which, as the synchronous work of reads and transactions. */
export class BlockRows {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof blockStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof blockStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** Sets the mark, or takes it back. Whether it was another before. */
  set({ ownerId, otherUserId }: Block, isBlocked: boolean): boolean {
    const { insertBlock, deleteBlock } = this.#statements;
    return this.#file.run(isBlocked ? insertBlock : deleteBlock, { ownerId, otherUserId }) > 0;
  }

  /** See BlockStore.blocksBetween. */
  between(userId: string, otherIds: readonly string[]): readonly Block[] {
    return otherIds.flatMap((otherUserId) =>
      this.#file
        .all(this.#statements.readBlocks, { ownerId: userId, otherUserId })
        .map((block) => ({ ownerId: block.owner_id, otherUserId: block.other_user_id })),
    );
  }

  /** See BlockStore.listBlocked. */
  list(ownerId: string, afterUserId: string, limit: number): readonly string[] {
    return this.#file
      .all(this.#statements.listBlocked, { ownerId, otherUserId: afterUserId, limit })
      .map((block) => block.other_user_id);
  }
}
