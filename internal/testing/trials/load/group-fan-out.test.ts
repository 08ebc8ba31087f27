import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  AddMembersRequestSchema,
  CreateGroupRequestSchema,
} from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import type { PushServer } from "../../../push/service.ts";
import type { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { GroupStormServices, PUSH_SERVERS } from "../../worlds/storm/group-storm-services.ts";

const MEMBERS = 1_000;
const ONLINE = 300;
const userIds = Array.from({ length: MEMBERS }, (_, at) => `user${at}`);
const [creator = ""] = userIds;

/** Goes on until `isDone`, for as long as a call may take at most. */
async function until(services: GroupStormServices, what: string, isDone: () => boolean): Promise<void> {
  for (let turns = 0; !isDone(); turns++) {
    assert.ok(turns < 10_000, `${what} never came`);
    await services.turn(1);
  }
}

/** The group of everybody, made by calls of 255 and 256 at most. */
async function group(services: GroupStormServices): Promise<Uint8Array> {
  const [threads] = services.threads;
  const call = { caller: { userId: creator } } as never;
  const first = { name: "everybody", userIds: userIds.slice(1, 256), requestId: services.newId() };
  const made = await threads?.handlers.createGroup(create(CreateGroupRequestSchema, first), call);
  const threadId = made?.thread?.threadId ?? assert.fail("no group was made");
  for (let from = 256; from < MEMBERS; from += 256) {
    const more = { threadId, userIds: userIds.slice(from, from + 256), requestId: services.newId() };
    await threads?.handlers.addMembers(create(AddMembersRequestSchema, more), call);
  }
  return threadId;
}

/** The first 300 members, each on one of the push servers in turn, caught up. */
async function online(services: GroupStormServices): Promise<FakeByteStream[]> {
  const streams = userIds.slice(0, ONLINE).map((userId, at) => {
    const stream = services.stream(userId, services.servers[at % PUSH_SERVERS] as PushServer);
    stream.say({ case: "open", value: { deviceId: "phone" } } as never);
    return stream;
  });
  await until(services, "caught_up", () => streams.every((stream) => stream.of("caughtUp").length > 0));
  return streams;
}

describe("A post to a group of 1,000 members, 300 of them online on three push servers", function () {
  this.timeout(60_000);
  const seed = testSeed();
  let services: GroupStormServices;
  before(() => {
    services = new GroupStormServices(new SeededRandom(seed), {});
  });
  after(() => services.close());

  it("is one publication, three frames between servers, 300 to clients, and none to anyone offline", async () => {
    const threadId = await group(services);
    const streams = await online(services);
    const { channel, servers } = services;
    assert.equal(channel.topics, ONLINE + 1, "the inboxes of those online, and the group");
    const count = () => ({
      ...channel.counters,
      events: servers.reduce((sum, { counters }) => sum + counters.events, 0),
    });
    const before = count();
    const send = {
      target: { case: "threadId", value: threadId },
      clientId: services.newId(),
      baseSeq: 4n,
      attempt: 1,
      body: { kind: { case: "text", value: { text: "hello, everybody" } } },
    };
    streams[0]?.say({ case: "send", value: send } as never);
    const isEverywhere = () => streams.slice(1).every((stream) => stream.of("entry").length > 0);
    await until(services, "the entry", () => streams[0]?.of("accepted").length === 1 && isEverywhere());
    for (let second = 0; second < 5; second++) await services.turn(1_000); // Whatever else follows has come by then.
    const after = count();
    assert.deepEqual(
      [
        after.publications - before.publications,
        after.deliveries - before.deliveries,
        after.events - before.events,
        after.linksLost,
      ],
      [1, PUSH_SERVERS, ONLINE, 0],
    );
    assert.deepEqual(
      streams.map((stream) => stream.of("entry").length + stream.of("accepted").length),
      streams.map(() => 1),
    );
  });
});
