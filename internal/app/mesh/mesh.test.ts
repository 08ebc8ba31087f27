import assert from "node:assert/strict";
import type { Client, Entry } from "../../../client/index.ts";
import { TestMesh } from "../../testing/mesh/programs/test-mesh.ts";

const ALL = [
  "gateway-1",
  ...["push-1", "push-2", "message-1", "message-2", "channel-1", "channel-2"],
  ...["presence-1", "presence-2", "thread-1", "thread-2"],
];

/** Resolves with the first value that `pick` has, now or after an event of the client. */
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

/** Resolves once the text is the newest of the thread, as a client has it. */
function arrived(client: Client, threadId: string, text: string): Promise<Entry> {
  return until(client, () =>
    client.conversation(threadId).entries.find(({ body }) => body.kind === "text" && body.text === text),
  );
}

/** Everything that was written there, as the server has it. */
async function textsOf(client: Client, threadId: string): Promise<string[]> {
  const conversation = client.conversation(threadId);
  await conversation.open();
  return conversation.entries.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
}

async function sent(client: Client, threadId: string, text: string): Promise<void> {
  const send = await client.conversation(threadId).send(text);
  for await (const { state } of send.updates()) if (["sent", "delivered", "read"].includes(state)) return;
}

describe("The programs of the mesh", function () {
  this.timeout("6m"); // Some 90 s in all; a machine that does other things starts programs slowly.
  let mesh: TestMesh;
  before(async () => {
    mesh = await TestMesh.open();
    await mesh.start(...ALL);
  });
  after(() => mesh.close());

  it("are ready, and lack nothing", async () => {
    for (const name of ALL)
      assert.deepEqual(await mesh.child(name).admin("/readyz"), { status: 200, text: "ready" });
  });

  it("carry direct and group messages between people on different push servers", async () => {
    const people = await Promise.all(["ann", "bob", "cat", "dan"].map((name) => mesh.client(name)));
    const [ann, bob, cat, dan] = people as [Client, Client, Client, Client];
    await Promise.all(people.map((one) => one.ready()));
    const sessions = await mesh.figures("push", "heddle_push_sessions");
    assert.ok(
      sessions.every((count) => count > 0),
      `every push server has some: ${sessions}`,
    );
    const { threadId } = await ann.direct("bob");
    await sent(ann, threadId, "hi bob");
    await arrived(bob, threadId, "hi bob");
    await sent(bob, threadId, "hi ann");
    await arrived(ann, threadId, "hi ann");
    const group = await ann.groups.create("all of us", ["bob", "cat", "dan"]);
    for (const [from, text] of [
      [ann, "one"],
      [bob, "two"],
      [cat, "three"],
      [dan, "four"],
    ] as const) {
      await until(from, () => from.threads().find(({ threadId: id }) => id === group.threadId));
      await sent(from, group.threadId, text);
      for (const to of people) if (to !== from) await arrived(to, group.threadId, text);
    }
  });

  it("show who is there and who writes", async () => {
    const [eve, fay] = [await mesh.client("eve"), await mesh.client("fay")];
    await Promise.all([eve.ready(), fay.ready()]);
    const { threadId } = await eve.direct("fay");
    await sent(eve, threadId, "there?");
    await arrived(fay, threadId, "there?");
    eve.watch(["fay"]);
    fay.watch(["eve"]);
    await until(eve, () => eve.presence("fay")?.status === "online");
    await until(fay, () => fay.presence("eve")?.status === "online");
    fay.typing(threadId);
    await until(eve, () => eve.typists(threadId).includes("fay"));
  });

  it("have all that was written after every one of them was ended and started again", async () => {
    const [gil, hal] = [await mesh.client("gil"), await mesh.client("hal")];
    const { threadId } = await gil.direct("hal");
    for (const text of ["a", "b", "c"]) await sent(gil, threadId, text);
    await arrived(hal, threadId, "c");
    const ended = await mesh.stop();
    assert.deepEqual([...new Set(Object.values(ended))], [0], JSON.stringify(ended));
    await mesh.start(...ALL);
    await gil.ready();
    await sent(gil, threadId, "d");
    const fresh = await mesh.client("hal", "another-device");
    await fresh.ready();
    assert.deepEqual(await textsOf(fresh, threadId), ["a", "b", "c", "d"]);
    await arrived(hal, threadId, "d");
  });

  it("take new certificates while links go on, and meet one that starts later by them", async () => {
    const [ida, joe] = [await mesh.client("ida"), await mesh.client("joe")];
    const { threadId } = await ida.direct("joe");
    await sent(ida, threadId, "before");
    await mesh.certificates.renew();
    const isRead = ({ msg }: { readonly msg: string }) => msg.startsWith("certificates were read again");
    await Promise.all(ALL.map((name) => mesh.child(name).logged(isRead)));
    await sent(ida, threadId, "between");
    assert.equal(await mesh.child("message-1").stop(), 0);
    await mesh.start("message-1");
    for (const text of ["1", "2", "3", "4"]) {
      await sent(ida, threadId, text);
      await arrived(joe, threadId, text);
    }
    for (const name of ALL)
      assert.ok(!mesh.child(name).log.some(({ msg }) => msg.startsWith("a connection was refused")), name);
  });

  it("are restarted one after the other while people write: no send fails, and nobody misses a word", async () => {
    const [kim, lea] = [await mesh.client("kim"), await mesh.client("lea")];
    await Promise.all([kim.ready(), lea.ready()]);
    const { threadId } = await kim.direct("lea");
    const group = await kim.groups.create("both", ["lea"]);
    const threads = [threadId, group.threadId];
    const failed: unknown[] = [];
    kim.on((event) => {
      if (event.type === "outbox" && event.item.state === "failed") failed.push(event.item);
    });
    let isOver = false;
    const writing = threads.map(async (thread) => {
      const written: string[] = [];
      for (let count = 0; !isOver; count++) {
        await sent(kim, thread, `${count}`);
        written.push(`${count}`);
      }
      return written;
    });
    for (const number of [1, 2]) {
      for (const service of ["push", "message", "channel", "presence", "thread"]) {
        const name = `${service}-${number}`;
        assert.equal(await mesh.child(name).stop(), 0, name);
        await mesh.start(name);
      }
    }
    isOver = true;
    const written = await Promise.all(writing);
    assert.deepEqual(failed, []);
    for (const [at, thread] of threads.entries()) {
      const texts = written[at] ?? [];
      await arrived(lea, thread, texts.at(-1) ?? "");
      const conversation = lea.conversation(thread);
      await conversation.open();
      while (conversation.hasOlder) await conversation.older(200);
      assert.deepEqual(await textsOf(lea, thread), texts, "each once, in order");
    }
  });

  it("stay ready while Postgres is away, say so, and serve again when it is back", async () => {
    const [mia, ned] = [await mesh.client("mia"), await mesh.client("ned")];
    const { threadId } = await mia.direct("ned");
    await sent(mia, threadId, "before");
    await mesh.postgres.pause();
    const name = "message-1";
    await mesh.child(name).readinessIs(/^degraded: Postgres at .*: start it/);
    const waiting = sent(mia, threadId, "meanwhile");
    await mesh.postgres.resume();
    await mesh.child(name).readinessIs(/^ready$/);
    await waiting;
    await arrived(ned, threadId, "meanwhile");
  });

  it("log no fault", async () => {
    for (const name of ALL) {
      const faults = mesh
        .child(name)
        .log.filter(({ level, msg }) => level === "fatal" || /unexpected/.test(msg));
      assert.deepEqual(faults, [], name);
    }
  });
});
