import assert from "node:assert/strict";
import type { Client } from "../../../client/index.ts";
import { TestMesh } from "../../testing/mesh/test-mesh.ts";

const ALL = [
  "gateway-1",
  "push-1",
  "push-2",
  "message-1",
  "message-2",
  "channel-1",
  "channel-2",
  "presence-1",
  "presence-2",
  "thread-1",
  "thread-2",
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

/** What a person has before them of a thread, from its beginning. */
async function textsOf(client: Client, threadId: string): Promise<string[]> {
  const conversation = client.conversation(threadId);
  await conversation.open();
  return conversation.entries.flatMap(({ body }) => (body?.case === "text" ? [body.value.text] : []));
}

describe("The programs of the mesh", function () {
  this.timeout("60s");
  let mesh: TestMesh;
  before(async () => {
    mesh = await TestMesh.open();
    await mesh.start(...ALL);
  });
  after(() => mesh.close());

  it("say where they stand, and are ready", async () => {
    for (const name of ALL) {
      const { text, status } = await mesh.child(name).admin("/readyz");
      assert.deepEqual([name, status], [name, 200], text);
    }
  });

  it("carry messages between people", async () => {
    const [ann, bob] = [await mesh.client("ann"), await mesh.client("bob")];
    await Promise.all([ann.ready(), bob.ready()]);
    const send = await ann.send({ to: "bob" }, "hi");
    const { id } = await ann.direct("bob");
    console.log(id, send);
  });
});
