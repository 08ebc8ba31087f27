import { equalBytes, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MemberRole } from "../../../gen/heddle/message/v1/entry_pb.js";
import { Visibility } from "../../../gen/heddle/presence/v1/presence_pb.js";
import { DrainingReason } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { MembershipSpan, Thread } from "../../../gen/heddle/thread/v1/thread_pb.js";
import type { Api } from "../contract-coverage/recorded-heddle.ts";
import { sendOf } from "../contract-coverage/send-request.ts";
import { type Asker, USERS } from "./asker.ts";
import { LOST, outcome, requestId, type World } from "./world.ts";

/** Makes one call as an asker; resolves to what stands in the cell. */
export type Case = (world: World, asker: Asker) => Promise<string>;

/** Of calls that only ever concern the caller's own: everybody gets what is theirs. */
const own = () => "own";
/** The user that a column is about. */
const user = (asker: Asker) => USERS[asker];
/** All services, called as that user. */
const services = (world: World, asker: Asker) => world.as(user(asker));

/** What is seen of a thread: up to where exa left, and no further, is "part". */
function reach(world: World, asker: Asker, seq: bigint | undefined): string {
  if (seq === undefined) return "none";
  if (asker !== "ex-member") return "yes";
  return seq <= world.leftSeq ? "part" : "yes";
}

/** All entries that an asker is shown of the group. */
async function seqsSeen(world: World, asker: Asker): Promise<readonly bigint[]> {
  const seqs: bigint[] = [];
  for (let hasMore = true; hasMore; ) {
    const position = { case: "afterSeq" as const, value: seqs.at(-1) ?? 0n };
    const page = await services(world, asker).message.listEntries({ threadId: world.group, position });
    seqs.push(...page.entries.map(({ seq }) => seq));
    ({ hasMore } = page);
  }
  return seqs;
}

/** Of one who came back: "stays" if it is shown all but what was said while it was away. */
function stays({ away: { fromSeq, toSeq } }: World, seqs: readonly bigint[]): string {
  const head = seqs.at(-1) ?? 0n;
  const all = Array.from({ length: Number(head) }, (_, at) => BigInt(at + 1));
  const its = all.filter((seq) => seq <= fromSeq || seq >= toSeq);
  return head > toSeq && its.join() === seqs.join() ? "stays" : `${seqs}`;
}

/** A change of ann's group under a request_id of its own, so that none is taken for a repeat. */
const ofGroup = (world: World) => ({ threadId: world.group, requestId: requestId() });

/** Sign-in: only for oneself, and not with a revoked device. */
const gateway: Record<string, Case> = {
  "GatewayService.OpenSession": (world, asker) => {
    const deviceId = asker === "revoked" ? LOST : "phone"; // Ann has a phone, too.
    const opening = services(world, asker).gateway.openSession({ deviceId });
    return outcome(opening, () => (asker === "another's" ? "own" : "yes"));
  },
  "GatewayService.RenewTicket": async (world, asker) => {
    const anns = world.ann.events[0]?.kind;
    let sessionId: Uint8Array = asker === "revoked" ? world.lost.sessionId : new Uint8Array(16);
    if (asker === "another's" && anns?.case === "opened") sessionId = anns.value.sessionId;
    if (asker === "member") {
      const stream = await world.session("bob", "renewing");
      const [opened] = stream.events;
      if (opened?.kind.case === "opened") sessionId = opened.kind.value.sessionId;
    }
    return outcome(services(world, asker).gateway.renewTicket({ sessionId }));
  },
};

/** Reading and writing logs: where a thread is not the asker's, as if it were not there. */
const message: Record<string, Case> = {
  "MessageService.Send": (world, asker) => {
    const target = asker === "stranger" ? "ann" : world.threadOf(asker);
    const send = {
      ...sendOf(target, "hi"),
      ...(asker === "another's" ? { clientId: world.annsClientIds[0] } : {}),
    };
    const judge = ({ duplicate }: { duplicate: boolean }) =>
      duplicate ? "a duplicate" : asker === "another's" ? "own" : "yes";
    return outcome(services(world, asker).message.send(send), judge);
  },
  "MessageService.ListEntries": (world, asker) => {
    if (asker === "returned") return outcome(seqsSeen(world, asker), (seqs) => stays(world, seqs));
    const page = services(world, asker).message.listEntries({ threadId: world.threadOf(asker) });
    return outcome(page, ({ entries, head }) => {
      const last = entries.at(-1)?.seq ?? 0n;
      return last === head?.seq ? reach(world, asker, last) : "a head above its entries";
    });
  },
  "MessageService.ResolveSend": (world, asker) => {
    const clientId = asker === "another's" ? world.annsClientIds[1] : newUuid(Date.now());
    const target = { case: "threadId" as const, value: world.threadOf(asker) };
    const resolving = services(world, asker).message.resolveSend({
      target,
      clientId,
      baseSeq: 0n,
      seal: false,
    });
    return outcome(resolving, (answer) => {
      if (answer.outcome.case !== "unknown") return answer.outcome.case ?? "nothing";
      return asker === "another's" ? "none" : "yes";
    });
  },
  "MessageService.GetHeads": (world, asker) => {
    const heads = services(world, asker).message.getHeads({ threadIds: [world.threadOf(asker)] });
    return outcome(heads, (answer) => reach(world, asker, answer.heads[0]?.head?.seq));
  },
  "MessageService.CompareHeld": (world, asker) => {
    const held = [{ threadId: world.threadOf(asker), seq: 0n, entryHash: new Uint8Array(0) }];
    const comparing = services(world, asker).message.compareHeld({ held });
    return outcome(comparing, ({ compared }) => reach(world, asker, compared[0]?.head?.seq));
  },
  "MessageService.ListReceipts": (world, asker) => {
    const threadId = world.threadOf(asker);
    return outcome(services(world, asker).message.listReceipts({ threadId }), ({ receipts }) => {
      if (receipts.length === 0) return "none";
      return receipts.some(({ userId }) => userId !== user(asker)) ? "yes" : "own";
    });
  },
};

/** Who is online is for those who may see it; nobody sets it for another. */
const presence: Record<string, Case> = {
  "PresenceService.ListPresence": (world, asker) =>
    outcome(services(world, asker).presence.listPresence({ userIds: ["ann"] }), ({ presences }) =>
      presences.length > 0 ? "yes" : "none",
    ),
  "PresenceService.GetVisibility": (world, asker) =>
    outcome(services(world, asker).presence.getVisibility({}), own),
  "PresenceService.SetVisibility": (world, asker) => {
    const setting = { visibility: Visibility.SHARED, requestId: requestId() };
    return outcome(services(world, asker).presence.setVisibility(setting), own);
  },
};

/** Names and pictures are for all; nobody sets them for another. */
const profile: Record<string, Case> = {
  "ProfileService.GetProfiles": (world, asker) =>
    outcome(services(world, asker).profile.getProfiles({ userIds: ["ann"] }), ({ profiles }) =>
      profiles[0]?.userId === "ann" ? "yes" : "none",
    ),
  "ProfileService.SetProfile": (world, asker) => {
    const setting = { displayName: "B", pictureUrl: "", requestId: requestId() };
    return outcome(services(world, asker).profile.setProfile(setting), (answer) =>
      answer.profile?.userId === user(asker) ? "own" : "another's",
    );
  },
};

/** Streams and what is said by calls: a ticket is of one user and one device. */
const push: Record<string, Case> = {
  "PushService.Connect": (world, asker) => connect(world, asker),
  "PushService.Subscribe": async (world, asker) => {
    const deviceId = asker === "revoked" ? LOST : "page";
    const ticket = asker === "revoked" ? world.lost.ticket : await world.ticket(user(asker), deviceId);
    const api = world.with(ticket);
    const named = asker === "another's" ? "phone" : deviceId;
    return outcome(firstOfEvents(api, named, asker), (said) => said);
  },
  "PushService.Submit": async (world, asker) => {
    const frames = [{ kind: { case: "send" as const, value: sendOf(world.group, "hi") as never } }];
    const ticket = asker === "revoked" ? world.lost.ticket : await world.ticket("bob", "page");
    const api = asker === "another's" ? world.as("ann") : world.with(ticket);
    return outcome(api.push.submit({ frames }), ({ outcomes }) =>
      outcomes[0]?.kind.case === "accepted" ? "yes" : "refused",
    );
  },
};

/** Opens a stream with the credential that the column says. */
export async function connect(world: World, asker: Asker): Promise<string> {
  const deviceId = asker === "revoked" ? LOST : "other";
  const ticket = asker === "revoked" ? world.lost.ticket : await world.ticket(user(asker), deviceId);
  const stream = await world.stream(asker === "another's" ? world.userToken("ann") : ticket);
  stream.open(deviceId);
  return outcome(firstOf(stream, asker), (said) => said);
}

/** The same of a Subscribe. */
async function firstOfEvents(api: Api, deviceId: string, asker: Asker): Promise<string> {
  const left = new AbortController(); // Connect does not end a stream that is no longer read.
  const request = { deviceId, cursor: new Uint8Array(0) };
  try {
    for await (const { events } of api.push.subscribe(request, { signal: left.signal })) {
      for (const { kind } of events) {
        if (kind.case === "draining") return DrainingReason[kind.value.reason] ?? "";
        if (kind.case === "caughtUp" && asker !== "revoked") return "yes";
      }
    }
    return "an end";
  } finally {
    left.abort();
  }
}

/** How a stream begins, or is ended. */
export async function firstOf(stream: Awaited<ReturnType<World["stream"]>>, asker: Asker): Promise<string> {
  if (asker !== "revoked") {
    await stream.next("caughtUp");
    return "yes";
  }
  const { reason } = await stream.next("draining");
  return DrainingReason[reason] ?? "";
}

/** Threads, members, blocks and devices. */
const threads: Record<string, Case> = {
  "ThreadService.CreateDirectThread": (world, asker) =>
    outcome(services(world, asker).thread.createDirectThread({ userId: "ann", requestId: requestId() })),
  "ThreadService.CreateGroup": (world, asker) => {
    const request = { name: "new", userIds: ["ann"], requestId: requestId() };
    const judge = () => (asker === "another's" ? "own" : "yes");
    return outcome(services(world, asker).thread.createGroup(request), judge);
  },
  "ThreadService.AddMembers": (world, asker) => {
    const { threadId } = ofGroup(world);
    const mine = world.groups.get(user(asker));
    const isPair = asker === "blocked" || asker === "blocker";
    const request = isPair
      ? { threadId: mine ?? threadId, userIds: ["ann"] }
      : { threadId, userIds: ["dee"] };
    return outcome(services(world, asker).thread.addMembers({ ...request, requestId: requestId() }));
  },
  "ThreadService.RemoveMembers": (world, asker) =>
    outcome(services(world, asker).thread.removeMembers({ ...ofGroup(world), userIds: ["dee"] })),
  "ThreadService.LeaveGroup": (world, asker) =>
    outcome(
      (asker === "member" ? world.as("lea") : services(world, asker)).thread.leaveGroup(ofGroup(world)),
    ),
  "ThreadService.SetMemberRole": (world, asker) => {
    const request = { ...ofGroup(world), userId: user(asker), role: MemberRole.OWNER };
    return outcome(services(world, asker).thread.setMemberRole(request));
  },
  "ThreadService.RenameGroup": (world, asker) =>
    outcome(services(world, asker).thread.renameGroup({ ...ofGroup(world), name: `by ${user(asker)}` })),
  "ThreadService.ListMembers": (world, asker) =>
    outcome(services(world, asker).thread.listMembers({ threadId: world.group }), ({ members, spans }) => {
      const its = spans[members.findIndex(({ userId }) => userId === USERS.returned)]?.spans ?? [];
      return asker === "returned" ? spansTold(world, its) : "yes";
    }),
  "ThreadService.BlockUser": (world, asker) =>
    outcome(services(world, asker).thread.blockUser({ userId: "zed", requestId: requestId() })),
  "ThreadService.UnblockUser": (world, asker) =>
    outcome(services(world, asker).thread.unblockUser({ userId: "zed", requestId: requestId() })),
  "ThreadService.ListBlockedUsers": (world, asker) =>
    outcome(services(world, asker).thread.listBlockedUsers({}), ({ userIds }) =>
      userIds.length > 0 ? "own" : "none",
    ),
  "ThreadService.GetThread": (world, asker) => {
    const threadId = world.threadOf(asker);
    const read = services(world, asker).thread.getThread({ threadId });
    return outcome(read, ({ thread }) => told(world, asker, thread));
  },
  "ThreadService.ListThreads": (world, asker) =>
    outcome(services(world, asker).thread.listThreads({}), (page) => listed(world, asker, page.threads)),
  "ThreadService.Sync": async (world, asker) => {
    const { cursor } =
      asker === "another's" ? await world.as("ann").thread.sync({}) : { cursor: new Uint8Array(0) };
    const page = services(world, asker).thread.sync({ cursor });
    return outcome(page, ({ threads: rows }) => listed(world, asker, rows));
  },
  "ThreadService.SetMuted": (world, asker) =>
    outcome(
      services(world, asker).thread.setMuted({
        threadId: world.threadOf(asker),
        isMuted: true,
        requestId: requestId(),
      }),
    ),
  "ThreadService.ListDevices": (world, asker) =>
    outcome(services(world, asker).thread.listDevices({}), ({ devices }) =>
      devices.some(({ deviceId }) => deviceId === "tablet") ? "another's" : "own",
    ),
  "ThreadService.RevokeDevice": async (world, asker) => {
    const deviceId = asker === "another's" ? "tablet" : "spare";
    if (asker !== "another's") await world.ticket(user(asker), deviceId);
    return outcome(services(world, asker).thread.revokeDevice({ deviceId, requestId: requestId() }));
  },
};

/** What lists, reads and syncs have in common of a thread. */
type Row = Pick<Thread, "threadId" | "head" | "spans">;

/** What a row tells an asker of the thread of its column. */
function told(world: World, asker: Asker, row: Row | undefined): string {
  const seen = reach(world, asker, row?.head?.seq);
  return asker === "returned" && seen === "yes" ? spansTold(world, row?.spans ?? []) : seen;
}

/** Of one who came back: "stays" if both its spans are told. */
function spansTold({ away }: World, spans: readonly MembershipSpan[]): string {
  const seqs = spans.map(({ firstSeq, lastSeq }) => `${firstSeq}-${lastSeq}`).join();
  return seqs === `1-${away.fromSeq},${away.toSeq}-0` ? "stays" : seqs;
}

/** What a list of threads tells an asker of the thread of its column. */
function listed(world: World, asker: Asker, rows: readonly Row[]): string {
  if (asker === "another's") {
    const anns = directThreadId("ann", "bla");
    return rows.some(({ threadId }) => equalBytes(threadId, anns)) ? "another's" : "own";
  }
  const row = rows.find(({ threadId }) => equalBytes(threadId, world.threadOf(asker)));
  return told(world, asker, row);
}

/** By the names of the calls in docs/authorization.md. */
export const CALLS: Record<string, Case> = {
  ...gateway,
  ...message,
  ...presence,
  ...profile,
  ...push,
  ...threads,
};
