import assert from "node:assert/strict";
import { fromHex, newUuid } from "../../internal/base/ids.ts";
import { MessageService } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import { devTokens } from "../../internal/testing/trials/programs/heddle-process.ts";
import { RealServer } from "../../internal/testing/trials/programs/real-server.ts";
import { grpcTransport } from "../grpc/transport.ts";
import {
  type Client,
  type ClientEvent,
  type ConnectOptions,
  connect,
  type Entry,
  type Send,
} from "../index.ts";
import { FileStorage } from "../storage/file-storage.ts";
import { webTransport } from "../web/transport.ts";

/** Resolves with the first event, from now on or before, for which `pick` has a value. */
async function until<T>(client: Client, pick: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = pick();
    if (found) return found;
    await new Promise<void>((resolve) => {
      const stop = client.on(() => {
        stop();
        resolve();
      });
    });
  }
}

/** A client with what it said so far. */
interface Person {
  readonly client: Client;
  readonly events: ClientEvent[];
  readonly entries: Entry[];
}

describe("The client library on a real server", function () {
  this.timeout(120_000);
  const server = new RealServer();
  let names = 0;

  /** A user that nobody has heard of. */
  const newName = (base: string) => `${base}-${++names}`;

  const grpc = () => grpcTransport({ url: server.addresses.grpcUrl });
  const web = () => webTransport({ url: server.addresses.webUrl });

  async function signIn(userId: string, options: Partial<ConnectOptions> = {}): Promise<Person> {
    const client = await connect({
      userId,
      deviceId: `${userId}-device`,
      transport: grpc(),
      credentials: async () => (await devTokens(server.addresses.webUrl, [userId]))[userId] ?? "",
      ...options,
    });
    server.clients.add(client);
    const events: ClientEvent[] = [];
    const entries: Entry[] = [];
    client.on((event) => {
      events.push(event);
      if (event.type === "entry") entries.push(event.entry);
    });
    return { client, events, entries };
  }

  const texts = (entries: readonly Entry[]) =>
    entries.map(({ body }) => (body.kind === "text" ? body.text : body.kind));

  for (const [name, transport] of [
    ["gRPC", grpc],
    ["gRPC-Web", web],
  ] as const) {
    it(`sends, delivers and reads over ${name}`, async () => {
      const [ann, bob] = [newName("ann"), newName("bob")];
      const a = await signIn(ann);
      const b = await signIn(bob, { transport: transport() });
      await Promise.all([a.client.ready(), b.client.ready()]);
      const send = await a.client.send({ to: bob }, "grüße 你好");
      const states: string[] = [];
      const watching = (async () => {
        for await (const { state } of send.updates()) states.push(state);
      })();
      const entry = await until(b.client, () => b.entries[0]);
      assert.deepEqual(texts([entry]), ["grüße 你好"]);
      const conversation = await b.client.direct(ann);
      assert.equal(conversation.thread?.unread ?? 1, 1);
      conversation.markRead();
      await watching;
      assert.deepEqual(states.filter((state) => state !== "queued" && state !== "sending").at(-1), "read");
      const answer = await conversation.send("hi");
      assert.equal((await answer.outcome()).seq, 2);
      await until(a.client, () => a.entries.length === 2);
      assert.deepEqual(a.entries, await until(b.client, () => b.entries.length === 2 && b.entries));
      assert.equal((await a.client.direct(bob)).stateOf(a.entries[0] as Entry), "read");
      await until(a.client, () => a.client.threads()[0]?.peer === bob);
    });
  }

  it("counts no message of one's own as unread, on the device that sent it and on a new one", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const a = await signIn(ann);
    const b = await signIn(bob);
    await Promise.all([a.client.ready(), b.client.ready()]);
    for (let at = 0; at < 25; at++) await (await b.client.send({ to: ann }, `got ${at}`)).outcome();
    await until(a.client, () => a.entries.length === 25);
    for (let at = 0; at < 26; at++) await (await a.client.send({ to: bob }, `sent ${at}`)).outcome();
    await until(a.client, () => a.client.threads()[0]?.unread === 0);
    await (await b.client.send({ to: ann }, "one more")).outcome();
    await until(a.client, () => a.client.threads()[0]?.unread === 1);
    const fresh = await signIn(ann, { deviceId: "fresh" });
    await fresh.client.ready();
    assert.equal(fresh.client.threads()[0]?.unread, 1);
  });

  it("shows a laptop that signs in what the phone has just read", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const laptopState = server.stateOf(`${ann}-laptop`);
    const laptop = async () =>
      signIn(ann, { deviceId: "laptop", storage: await FileStorage.open(laptopState) });
    const before = await laptop();
    const phone = await signIn(ann, { deviceId: "phone" });
    const b = await signIn(bob);
    await Promise.all([before.client.ready(), phone.client.ready(), b.client.ready()]);
    for (let at = 0; at < 3; at++) await (await b.client.send({ to: ann }, `news ${at}`)).outcome();
    await until(before.client, () => before.client.threads()[0]?.unread === 3);
    await until(phone.client, () => phone.client.threads()[0]?.unread === 3);
    await before.client.close();
    phone.client.markRead(phone.client.threads()[0]?.threadId ?? "", 3);
    await until(b.client, () =>
      b.events.some((event) => event.type === "receipt" && event.receipt.readSeq === 3),
    );
    const after = await laptop();
    await after.client.ready();
    const late = AbortSignal.timeout(2_000);
    for await (const _ of after.client.events(late)) if (after.client.threads()[0]?.unread === 0) break;
    assert.equal(after.client.threads()[0]?.unread, 0);
  });

  it("shows a new device of the user what is unread, and the history when asked", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const a = await signIn(ann);
    for (let at = 1; at <= 120; at++) await a.client.send({ to: bob }, `message ${at}`);
    await until(a.client, () => a.client.outbox().length === 0);
    const first = await signIn(bob);
    await until(first.client, () => first.entries.length === 120);
    first.client.markRead(first.entries[0]?.threadId ?? "", 100);
    await until(a.client, () =>
      a.events.some((event) => event.type === "receipt" && event.receipt.readSeq === 100),
    );
    // A thread row has the read position when the session has ended, or within a minute.
    await first.client.close();
    const second = await signIn(bob, { deviceId: "second" });
    await second.client.ready();
    await until(second.client, () => second.entries.length === 20);
    assert.equal(second.client.threads()[0]?.unread, 20);
    const conversation = await second.client.direct(ann);
    await conversation.open();
    assert.equal(conversation.entries.length, 50);
    while (conversation.hasOlder) assert.ok((await conversation.older(30)).length > 0);
    assert.deepEqual(
      texts(conversation.entries),
      Array.from({ length: 120 }, (_, at) => `message ${at + 1}`),
    );
    assert.deepEqual(await conversation.older(), []);
  });

  it("gives the user's other devices what one of them sent, and what it has read", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const phone = await signIn(ann, { deviceId: "phone" });
    const laptop = await signIn(ann, { deviceId: "laptop", transport: web() });
    const b = await signIn(bob);
    await Promise.all([phone, laptop, b].map(({ client }) => client.ready()));
    await (await phone.client.send({ to: bob }, "from the phone")).outcome();
    await until(laptop.client, () => laptop.entries.length === 1);
    await (await b.client.send({ to: ann }, "to both")).outcome();
    await until(laptop.client, () => laptop.entries.length === 2);
    await until(phone.client, () => phone.entries.length === 2);
    await until(laptop.client, () => laptop.client.threads()[0]?.unread === 1);
    (await phone.client.direct(bob)).markRead();
    await until(laptop.client, () => laptop.client.threads()[0]?.unread === 0);
    const devices = await phone.client.devices();
    assert.deepEqual(devices.map(({ deviceId }) => deviceId).sort(), ["laptop", "phone"]);
    await phone.client.revokeDevice("laptop");
    await until(laptop.client, () => laptop.client.state.phase === "signed-out");
    assert.equal(laptop.client.state.reason?.kind, "device-revoked");
  });

  it("keeps its stream when the user token runs out, with a new one", async () => {
    const ann = newName("ann");
    let fetched = 0;
    const a = await signIn(ann, {
      credentials: async () => {
        fetched += 1;
        const ttlS = fetched === 1 ? 11 : 600;
        return (await devTokens(server.addresses.webUrl, [ann], ttlS))[ann] ?? "";
      },
    });
    await a.client.ready();
    await until(a.client, () => a.client.state.phase === "draining");
    await until(a.client, () => a.client.state.phase === "live");
    assert.equal(fetched, 2);
    const phases = a.events.flatMap((event) => (event.type === "state" ? [event.state.phase] : []));
    assert.ok(!phases.includes("offline"), phases.join(" "));
  });

  it("seals a send whose base is too old to search for, and sends its text anew", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const storage = await FileStorage.open(server.stateOf(ann));
    const away = { url: "http://127.0.0.1:9" };
    const offline = await signIn(ann, { storage, transport: grpcTransport(away) });
    await offline.client.send({ to: bob }, "composed long ago");
    await offline.client.close();
    const token = (await devTokens(server.addresses.webUrl, [bob]))[bob] ?? "";
    const transport = grpc();
    const options = { token, timeoutMs: 10_000, signal: undefined };
    const flood = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          transport.call(
            MessageService.method.send,
            {
              target: { case: "toUserId", value: ann },
              clientId: newUuid(Date.now()),
              attempt: 1,
              body: { kind: { case: "text", value: { text: "." } } },
            },
            options,
          ),
        ),
      );
    for (let at = 0; at < 9; at++) await flood(256);
    transport.close();
    // What the server remembers of the thread it need not search.
    await server.stop();
    await server.startAgain();
    const a = await signIn(ann, { storage: await FileStorage.open(server.stateOf(ann)) });
    const [before] = a.client.outbox();
    await until(a.client, () => a.client.outbox().length === 0);
    assert.ok(a.events.some((event) => event.type === "outbox" && event.item.state === "checking"));
    const own = await until(a.client, () =>
      a.entries.find(({ sender, body }) => sender === ann && body.kind === "text"),
    );
    assert.deepEqual(texts([own]), ["composed long ago"]);
    assert.notEqual(own.clientId, before?.clientId);
    const voids = a.entries.filter(({ body }) => body.kind === "void");
    // It names no one.
    assert.deepEqual(
      voids.map(({ sender, clientId }) => [sender, clientId]),
      [["", ""]],
    );
  });

  it("loses nothing, repeats nothing and leaves no hole while the server is killed again and again", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const a = await signIn(ann, { storage: await FileStorage.open(server.stateOf(ann)) });
    const b = await signIn(bob, { transport: web() });
    await Promise.all([a.client.ready(), b.client.ready()]);
    const sends: Send[] = [];
    let isOver = false;
    const writing = Promise.all(
      (
        [
          [a, bob],
          [b, ann],
        ] as const
      ).map(async ([person, to]) => {
        for (let at = 1; !isOver; at++) {
          const send = await person.client.send({ to }, `${person.client.userId} ${at}`);
          sends.push(send);
          await until(person.client, () => isOver || person.client.outbox().length < 20);
        }
      }),
    );
    let inFlight = 0;
    for (let kill = 0; kill < 4; kill++) {
      const target = a.entries.length + 30;
      await until(a.client, () => a.entries.length >= target);
      inFlight += a.client.outbox().length + b.client.outbox().length;
      await server.stop("SIGKILL");
      await server.startAgain();
      a.client.foreground();
      b.client.foreground();
    }
    isOver = true;
    await writing;
    const outcomes = await Promise.all(sends.map((send) => send.outcome()));
    assert.ok(inFlight > 0, "nothing was under way at any kill");
    for (const person of [a, b]) {
      await until(person.client, () => person.entries.length === sends.length);
      person.entries.forEach(({ seq }, at) => {
        assert.equal(seq, at + 1);
      });
    }
    const same = (entries: readonly Entry[]) =>
      entries.map(({ seq, clientId, body }) => ({ seq, clientId, body }));
    assert.deepEqual(same(a.entries), same(b.entries));
    for (const { seq, clientId } of outcomes) assert.equal(a.entries[(seq ?? 0) - 1]?.clientId, clientId);
    for (const { client } of [a, b]) {
      const own = texts(a.entries.filter(({ sender }) => sender === client.userId));
      assert.deepEqual(
        own,
        own.map((_, at) => `${client.userId} ${at + 1}`),
        "in the order they were composed",
      );
    }
  });

  it("sends what it kept when it starts again, and resumes where it stopped", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const folder = server.stateOf(ann);
    const a = await signIn(ann, { storage: await FileStorage.open(folder) });
    await (await a.client.send({ to: bob }, "one")).outcome();
    await a.client.close();
    const away = grpcTransport({ url: "http://127.0.0.1:9" });
    const offline = await signIn(ann, { storage: await FileStorage.open(folder), transport: away });
    assert.deepEqual(
      offline.client.threads().map(({ peer, last }) => [peer, last?.seq]),
      [[bob, 1]],
    );
    const conversation = await offline.client.direct(bob);
    assert.deepEqual(texts(conversation.entries), ["one"]);
    await conversation.send("two");
    await conversation.send("three");
    assert.deepEqual(
      conversation.pending.map(({ text, state }) => [text, state]),
      [
        ["two", "queued"],
        ["three", "queued"],
      ],
    );
    await offline.client.close();
    const b = await signIn(bob);
    await (await b.client.send({ to: ann }, "meanwhile")).outcome();
    const again = await signIn(ann, { storage: await FileStorage.open(folder) });
    await until(again.client, () => again.client.outbox().length === 0);
    await until(again.client, () => again.entries.length === 3);
    assert.deepEqual(texts(again.entries), ["meanwhile", "two", "three"], "and not what it had before");
    assert.equal(again.entries[0]?.threadId, (await again.client.direct(bob)).threadId);
    assert.equal(fromHex(again.entries[0]?.threadId ?? "").length, 16);
  });
});
