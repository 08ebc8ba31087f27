import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JWK } from "jose";
import { courseOfError } from "../../../client/stream/connection-reason.ts";
import type { ByteStream } from "../../rpc/calls/byte-stream.ts";
import { Target } from "../contract/bad-input-target.ts";
import { AskedHeddle, connect, Reader, write } from "../trials/load/slow-readers.ts";
import { EdgeClient } from "./edge-client.ts";
import { EdgeWorld } from "./edge-world.ts";
import { event, type PushStandIn } from "./push-stand-in.ts";
import { QuietStream, QuietStreams } from "./quiet-streams.ts";

const STREAMS = 3_000;
/** On so few connections, as clients of a load test have them. */
const CONNECTIONS = 6;
const HELD_MS = 60_000;

/** More than two connections of 1 MiB take at 64 KiB a stream: where they have no more, slow readers hold up the rest. */
const SLOW = 48;
const FRAME = event({ case: "entry", value: { sender: "x".repeat(4_000) } });
/** What each reader would be sent if it read. */
const TOLD_BYTES = 8 * 1024 * 1024;
/** Windows of the client and of Envoy, Envoy's two buffers of 64 KiB, and what is on its way. */
const HELD_BYTES = 512 * 1024;

/** Readers of the real program: texts of 4 KB, 1 MB for each, four times what may wait for one. */
const READERS = 10;
const STOPPED = 8;
const EACH = 250;
const TEXT_BYTES = 4_000;
/** docs/design.md, section 4. */
const QUEUED_BYTES = 256 * 1024;

describe("Streams through the edge", function () {
  this.timeout(180_000);
  let world: EdgeWorld;
  let servers: (PushStandIn & { readonly behind: { kill(): void; readonly grpc: { freeze(): void } } })[] =
    [];
  let quiet: QuietStreams;
  let openedMs = 0;

  /** They are held while the other tests run. */
  before(async () => {
    world = await EdgeWorld.start();
    servers = [await world.push("push-1"), await world.push("push-2")];
    const tickets = await Promise.all(servers.map(({ name }) => world.ticket(name)));
    quiet = await QuietStreams.open(world, tickets, STREAMS, CONNECTIONS);
    openedMs = performance.now();
  });
  after(async () => {
    quiet?.close();
    await world?.close();
  });

  it(`costs a bounded number of bytes for each reader that stops, and the others nothing: ${SLOW}`, async () => {
    const push = await world.push("push-slow");
    const told = new Map<ByteStream, number>();
    const tell = (stream: ByteStream) => {
      let bytes = told.get(stream) ?? 0;
      for (let mayGoOn = true; mayGoOn && bytes < TOLD_BYTES; bytes += FRAME.length)
        mayGoOn = stream.write(FRAME);
      told.set(stream, bytes);
    };
    push.onStream((stream) => stream.onDrain(() => tell(stream)));
    const ticket = await world.ticket("push-slow");
    const before = await world.envoyBytes();
    const slow: QuietStream[] = [];
    for (let at = 0; at < SLOW; at++) slow.push(await QuietStream.open(world, ticket));
    const reader = await QuietStream.open(world, ticket);
    for (const stream of slow) stream.pause();
    for (const stream of push.streams) tell(stream);
    await reader.received(TOLD_BYTES);
    const held = [...push.streams].filter((stream) => (told.get(stream) ?? 0) < TOLD_BYTES);
    assert.equal(held.length, SLOW, "who does not read is held");
    const most = Math.max(...held.map((stream) => told.get(stream) ?? 0));
    const perSlow = ((await world.envoyBytes()) - before) / SLOW;
    console.log(
      `      at most ${kib(most)} told to one that does not read; ${kib(perSlow)} of Envoy's memory for each`,
    );
    assert.ok(most <= HELD_BYTES, `${kib(most)} were taken from the push server`);
    assert.ok(perSlow <= HELD_BYTES, `${kib(perSlow)} in Envoy`);
    for (const stream of [...slow, reader]) stream.close();
    push.behind.kill();
  });

  it(`costs Heddle itself no more for each that stops than without an edge: ${STOPPED} of ${READERS}`, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "heddle-edge-readers-"));
    const heddle = new AskedHeddle(dataDir);
    const target = await Target.open(await heddle.ask("ready"), dataDir);
    const { grpcUrl, webUrl } = target.addresses;
    const behind = await world.front("push", "push", { grpc: portOf(grpcUrl), web: portOf(webUrl) });
    const published = await fetch(`${webUrl}/.well-known/jwks.json`);
    world.otherKeys = ((await published.json()) as { keys: JWK[] }).keys;
    const fetched = await world.stat("jwks_fetch_success");
    while ((await world.stat("jwks_fetch_success")) < fetched + 2) await new Promise(setImmediate);
    const readers: Reader[] = [];
    for (let at = 0; at < READERS; at++) {
      const userId = `reader-${at}`;
      readers.push(new Reader(userId, await connect(target, userId, world)));
    }
    const before = await world.envoyBytes();
    for (const reader of readers.slice(0, STOPPED)) reader.stop();
    const writer = await connect(target, "writer", world);
    await write(writer, readers, READERS * EACH, TEXT_BYTES);
    const others = readers.slice(STOPPED);
    for (const { stream } of others) await stream.next("entry", ({ seq }) => Number(seq) === EACH);
    const perStopped = ((await world.envoyBytes()) - before) / STOPPED;
    const queuedMax = await heddle.ask("queuedMax");
    console.log(
      `      queued at most ${kib(queuedMax)} in Heddle; ${kib(perStopped)} of Envoy's memory for each`,
    );
    assert.ok(queuedMax > QUEUED_BYTES / 4, "nothing was ever queued: Envoy took it all");
    assert.ok(queuedMax <= QUEUED_BYTES, `${kib(queuedMax)} were queued for one client`);
    assert.ok(perStopped <= HELD_BYTES, `${kib(perStopped)} in Envoy`);
    for (const reader of readers.slice(0, STOPPED)) {
      reader.goOn();
      await reader.told(EACH);
    }
    for (const { stream } of [...readers, { stream: writer }]) stream.close();
    target.close();
    behind.kill();
    await heddle.stop();
    await rm(dataDir, { recursive: true });
  });

  it("end when their push server hangs, in some ten seconds", async () => {
    const push = await world.push("push-hung");
    const caller = new EdgeClient(world, "grpc", {
      authorization: `Bearer ${await world.ticket("push-hung")}`,
    });
    const subscribed = await caller.subscribe();
    push.behind.grpc.freeze();
    const end = await subscribed.ended;
    assert.equal(end && courseOfError(end).reason.kind, "server-away");
    caller.close();
    push.behind.kill();
  });

  it(`are held for a minute without a reset: ${STREAMS}`, async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, openedMs + HELD_MS - performance.now())));
    assert.deepEqual(quiet.ended, []);
    const [one = 0, two = 0] = servers.map(({ streams }) => streams.size);
    assert.equal(one + two, STREAMS);
    for (const server of servers) server.tellAll();
    await quiet.heard();
    const perStream = (await world.envoyBytes()) / STREAMS;
    console.log(`      ${kib(perStream)} of Envoy's memory for each, all told`);
  });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}
