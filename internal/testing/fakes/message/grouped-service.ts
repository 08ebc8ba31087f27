import { create } from "@bufbuild/protobuf";
import type { GroupChange } from "../../../base/group.ts";
import { groupThreadId } from "../../../base/thread-id.ts";
import { SendRequestSchema } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { MessageService } from "../../../message/service.ts";
import { quiet } from "../../worlds/interleaving.ts";
import type { Bound } from "../streams/bound.ts";
import { FakeClock } from "../time/fake-clock.ts";
import { HookedStore, KeptChannel, MemoryThreads } from "./message-ports.ts";
import { clientIdOf, textBody } from "./message-samples.ts";

/**
 * A service, and a group of ann's with bob and cid: seq 1, of which the publication is forgotten. Rows have four entries,
 * so that a few sends reach the next one. What is asked through `ask` comes the way that `bound` says.
 */
export async function groupedService(bound: Bound) {
  const [store, threads, channel, clock] = [
    new HookedStore(),
    new MemoryThreads(),
    new KeptChannel(),
    new FakeClock(),
  ];
  const { groups, blocks, memory: largeGroups } = threads;
  const ports = { store, threads, groups, blocks, largeGroups, channel, clock };
  const service = new MessageService({ ...ports, bucketSize: 4 });
  const ported = await bound.message(service);
  const threadId = groupThreadId("ann", clientIdOf(1_000));
  const ask = (userId: string, n: number, change: GroupChange) =>
    ported.change({ threadId, userId, requestId: clientIdOf(n), change });
  await ask("ann", 1_000, { kind: "create", name: "weft", userIds: ["bob", "cid"] });
  channel.publications.length = 0;
  return {
    ...ports,
    service,
    ported,
    threadId,
    ask,
    send(userId: string, n: number) {
      const target = { case: "threadId", value: threadId } as const;
      const body = textBody(`text ${n}`);
      return service.handlers.send(
        create(SendRequestSchema, { target, clientId: clientIdOf(n), attempt: 1, body }),
        as(userId),
      );
    },
    /** What the channel service was given since. */
    told: () => channel.publications,
    /** 1.5 s, in steps in which what falls due comes to its end. */
    async pass() {
      for (let time = 0; time < 30; time++) {
        clock.advance(50);
        await quiet();
      }
    },
  };
}

/** A call of a user's. */
export function as(userId: string) {
  return { caller: { userId } };
}
