import assert from "node:assert/strict";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import type { Event } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { Api, Protocol, RecordedHeddle } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

const THREAD = directThreadId("eve", "fred");
/** More than a session may send at once of frames that advance nothing. */
const PINGS = 250;
/** So many calls at once. */
const SUBMITS = 8;

/** What browsers say and learn: Subscribe and Submit. */
export function onTheWeb(recorded: () => RecordedHeddle): void {
  let events: AsyncIterator<Event>;
  let push: Api["push"];
  let cursor: Uint8Array;
  const end = new AbortController();

  /** A browser's two halves under one ticket: its events, and the service that it submits to. */
  const subscribe = async (protocol: Protocol, signal: AbortSignal, from?: Uint8Array) => {
    const { ticket } = await recorded().as("eve", protocol).gateway.openSession({ deviceId: "browser" });
    const api = recorded().with(ticket, protocol);
    const request = { deviceId: "browser", ...(from ? { cursor: from } : {}) };
    return { push: api.push, events: eventsOf(api.push.subscribe(request, { signal })) };
  };

  it("Subscribe: what Connect would say", async () => {
    ({ push, events } = await subscribe("connect", end.signal));
    assert.equal((await next(events, "opened")).userId, "eve");
    ({ cursor } = await next(events, "caughtUp"));
    await recorded().as("fred").message.send(sendOf("eve", "hi"));
    assert.equal(hex((await next(events, "entry")).threadId), hex(THREAD));
  });

  it("Submit: an outcome for each frame, in order", async () => {
    const send = sendOf(THREAD, "hi yourself", 1n);
    const { outcomes } = await push.submit({
      frames: [
        { kind: { case: "send", value: send } },
        { kind: { case: "ack", value: { upTo: 3n } } },
        { kind: { case: "receipt", value: { threadId: THREAD, deliveredSeq: 1n, readSeq: 1n } } },
        { kind: { case: "ping", value: {} } },
        { kind: { case: "open", value: { deviceId: "browser", cursor } } },
      ],
    });
    assert.deepEqual(
      outcomes.map(({ kind }) => kind.case),
      ["accepted", "taken", "taken", "taken", "refused"],
    );
    const [accepted] = outcomes;
    assert.ok(accepted?.kind.case === "accepted");
    assert.deepEqual([accepted.kind.value.seq, hex(accepted.kind.value.clientId)], [2n, hex(send.clientId)]);
    await next(events, "pong");
  });

  it("Submit: refused says how long to wait", async () => {
    const frames = Array.from({ length: PINGS }, () => ({ kind: { case: "ping" as const, value: {} } }));
    const answers = await Promise.all(Array.from({ length: SUBMITS }, () => push.submit({ frames })));
    const refusals = answers
      .flatMap(({ outcomes }) => outcomes)
      .flatMap(({ kind }) => (kind.case === "refused" ? [kind.value] : []));
    const busy = refusals.find(({ errorInfo }) => errorInfo?.reason === "TOO_MANY_FRAMES");
    assert.equal(busy?.retryAfterMs, 1_000);
  });

  it("RenewTicket: a ticket for the same session, with which Submit goes on", async () => {
    const again = new AbortController();
    const { events: others } = await subscribe("grpcWeb", again.signal, cursor);
    const { sessionId } = await next(others, "opened");
    const renewed = await recorded().as("eve", "grpcWeb").gateway.renewTicket({ sessionId });
    assert.ok(Number(renewed.expiresAtMs) > Date.now() + 9 * 60_000);
    const { outcomes } = await recorded()
      .with(renewed.ticket, "grpcWeb")
      .push.submit({ frames: [{ kind: { case: "ping", value: {} } }] });
    assert.deepEqual(
      outcomes.map(({ kind }) => kind.case),
      ["taken"],
    );
    again.abort();
    end.abort();
  });
}

/** Events one by one, whatever frames they came in. */
async function* eventsOf(frames: AsyncIterable<{ readonly events: Event[] }>): AsyncGenerator<Event> {
  for await (const { events } of frames) yield* events;
}

/** The next event of a kind, skipping others. Rejects if the stream ends first. */
async function next<K extends Event["kind"]["case"]>(events: AsyncIterator<Event>, kind: K) {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`the stream ended without ${kind}`);
    if (value.kind.case === kind) return value.kind.value as Extract<Event["kind"], { case: K }>["value"];
  }
}
