import type { GroupChange } from "../../../base/group.ts";
import { decodeHead, type Head } from "../../../base/head.ts";
import { groupThreadId } from "../../../base/thread-id.ts";
import type { MadeChange } from "../../../message/group-changes.ts";
import type { ThreadLog } from "../../../message/log/thread-log.ts";
import { MessageParts, type SharedPorts } from "./message-parts.ts";
import { clientIdOf } from "./message-samples.ts";

/** The request_id under which the group is made, which its thread's id is made of. */
const CREATION = clientIdOf(1_000);

/** The append path of one message service, and a group of ann's with bob and cid in it. */
export class GroupParts extends MessageParts {
  /** Known before the group is there. */
  readonly groupId = groupThreadId("ann", CREATION);

  constructor(shared: SharedPorts = {}, bucketSize = 8) {
    super(bucketSize, shared);
  }

  /** Ann makes the group: seq 1. */
  create(name = "weft", userIds: readonly string[] = ["bob", "cid"]): Promise<MadeChange> {
    return this.ask("ann", 1_000, { kind: "create", name, userIds });
  }

  /** A change under the request_id that says `n`. */
  ask(userId: string, n: number, change: GroupChange): Promise<MadeChange> {
    return this.changes.change({ threadId: this.groupId, userId, requestId: clientIdOf(n), change });
  }

  /** The log as a member opens it. Rejects with THREAD_NOT_FOUND for others. */
  openGroup(userId = "ann"): Promise<ThreadLog> {
    return this.logs.open(this.groupId, userId);
  }

  /** The head in the row of a bucket. */
  async storedHead(bucket = 0, threadId = this.groupId): Promise<Head | undefined> {
    const { head } = await this.store.inner.get({ threadId, bucket }, { head: true });
    return head && decodeHead(head);
  }
}
