import assert from "node:assert/strict";
import { devTokens } from "../../internal/testing/trials/programs/heddle-process.ts";
import { RealServer } from "../../internal/testing/trials/programs/real-server.ts";
import { grpcTransport } from "../grpc/transport.ts";
import { type Client, type ClientEvent, connect } from "../index.ts";
import { webTransport } from "../web/transport.ts";

/** Resolves at once, or after the first event from now on, for which `isSo`. */
async function until(client: Client, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      const stop = client.on(() => {
        stop();
        resolve();
      });
    });
  }
}

describe("Presence and typing on a real server", function () {
  this.timeout(60_000);
  const server = new RealServer();
  let names = 0;

  const newName = (base: string) => `${base}-${++names}`;

  async function signIn(userId: string, door: "grpc" | "web" = "grpc"): Promise<Client> {
    const { grpcUrl, webUrl } = server.addresses;
    const client = await connect({
      userId,
      deviceId: `${userId}-device`,
      transport: door === "grpc" ? grpcTransport({ url: grpcUrl }) : webTransport({ url: webUrl }),
      credentials: async () => (await devTokens(webUrl, [userId]))[userId] ?? "",
    });
    server.clients.add(client);
    await client.ready();
    return client;
  }

  /** Two who have a chat; the first is signed in. */
  async function chat(): Promise<{ ann: Client; bob: string; threadId: string }> {
    const [name, bob] = [newName("ann"), newName("bob")];
    const ann = await signIn(name);
    const send = await ann.send({ to: bob }, "hello");
    await send.outcome();
    return { ann, bob, threadId: send.item.threadId };
  }

  it("shows one who comes, and when the one was last there who went", async () => {
    const { ann, bob } = await chat();
    ann.watch([bob]);
    const bobs = await signIn(bob, "web");
    await until(ann, () => ann.presence(bob)?.status === "online");
    const leftAtMs = Date.now();
    await bobs.close();
    await until(ann, () => ann.presence(bob)?.status === "offline");
    const seenAtMs = ann.presence(bob)?.lastSeenAtMs ?? 0;
    assert.ok(Date.now() - leftAtMs > 8_000, "not at once: it might have been a short gap");
    assert.ok(Math.abs(seenAtMs - leftAtMs) < 5_000, `last seen ${seenAtMs - leftAtMs} ms after leaving`);
  });

  it("shows nothing of somebody without a chat, until there is one", async () => {
    const [ann, bob] = [await signIn(newName("ann")), newName("bob")];
    const bobs = await signIn(bob);
    ann.watch([bob]);
    const send = await ann.send({ to: bob }, "hello");
    assert.equal(ann.presence(bob), undefined);
    await send.outcome();
    await until(ann, () => ann.presence(bob)?.status === "online");
    await bobs.close();
    await until(ann, () => ann.presence(bob)?.status === "offline");
  });

  it("does not show one who hides, nor to a client that comes then", async () => {
    const { ann, bob } = await chat();
    const bobs = await signIn(bob);
    ann.watch([bob]);
    await until(ann, () => ann.presence(bob)?.status === "online");
    assert.equal(await bobs.visibility(), "shared");
    assert.equal(await bobs.setVisibility("nobody"), "nobody");
    assert.equal(await bobs.visibility(), "nobody");
    await until(ann, () => ann.presence(bob) === undefined);
    const told: ClientEvent[] = [];
    ann.on((event) => event.type === "presence" && told.push(event));
    const second = await signIn(ann.userId, "web");
    second.on((event) => event.type === "presence" && told.push(event));
    second.watch([bob]);
    // What follows on the same streams comes after whatever the watch would have brought.
    const entry = await (await bobs.send({ to: ann.userId }, "here, and hidden")).outcome();
    await until(second, () => (second.threads()[0]?.head.seq ?? 0) >= (entry.seq ?? 0));
    assert.deepEqual(told, []);
    await bobs.setVisibility("shared");
    await until(ann, () => ann.presence(bob)?.status === "online");
  });

  it("shows who writes until that expires, or the message comes", async () => {
    const { ann, bob, threadId } = await chat();
    const bobs = await signIn(bob, "web");
    await until(bobs, () => bobs.threads().length === 1);
    bobs.typing(threadId);
    await until(ann, () => ann.typists(threadId).length > 0);
    assert.deepEqual(ann.typists(threadId), [bob]);
    assert.deepEqual(bobs.typists(threadId), [], "not to the one who writes");
    await until(ann, () => ann.typists(threadId).length === 0);
    bobs.typing(threadId);
    await until(ann, () => ann.typists(threadId).length > 0);
    const saidAtMs = Date.now();
    await bobs.send({ threadId }, "done");
    await until(ann, () => ann.typists(threadId).length === 0);
    assert.ok(Date.now() - saidAtMs < 3_000, "with the message, and not when it expires");
  });
});
