import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import { type Client, type ClientEvent, connect, type Entry, type Send } from "../../../../client/index.ts";
import { FileStorage } from "../../../../client/storage/file-storage.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { devTokens } from "../programs/heddle-process.ts";
import { KillableHeddle } from "../programs/killable-heddle.ts";

/** A device, and every event that it has told. */
interface Device {
  readonly client: Client;
  readonly events: readonly ClientEvent[];
}

/** The direct thread of ann and bob. */
const THREAD = hex(directThreadId("ann", "bob"));

describe("Clients whose server was put back", function () {
  this.timeout(120_000);
  let folder: string;
  let heddle: KillableHeddle;
  let alive: NodeJS.Timeout;
  const clients = new Set<Client>();

  beforeEach(async () => {
    alive = setInterval(() => {}, 1_000);
    folder = await mkdtemp(join(tmpdir(), "heddle-put-back-"));
    heddle = await KillableHeddle.on(join(folder, "data"));
    await heddle.start();
  });
  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()));
    clients.clear();
    await heddle.stop("SIGKILL");
    clearInterval(alive);
    await rm(folder, { recursive: true, force: true });
  });

  /** A device, with its state on disk, and what it has told. */
  async function device(userId: string, deviceId: string): Promise<Device> {
    const { grpcUrl, webUrl } = heddle.addresses;
    const client = await connect({
      userId,
      deviceId,
      transport: grpcTransport({ url: grpcUrl }),
      credentials: async () => (await devTokens(webUrl, [userId]))[userId] ?? "",
      storage: await FileStorage.open(join(folder, "state", deviceId)),
    });
    clients.add(client);
    const events: ClientEvent[] = [];
    client.on((event) => events.push(event));
    return { client, events };
  }

  async function close(client: Client): Promise<void> {
    clients.delete(client);
    await client.close();
  }

  const putBacks = (events: readonly ClientEvent[]) =>
    events.filter(({ type }) => type === "put_back").length;

  /** Kills the server and starts it on what `change` makes of its data. */
  async function startOn(change: (data: string) => Promise<void>): Promise<void> {
    await heddle.stop("SIGKILL");
    await change(join(folder, "data"));
    await heddle.start();
  }

  /** Keeps a copy of the data for `restore`. */
  const backUp = (): Promise<void> =>
    startOn((data) => cp(data, join(folder, "backup"), { recursive: true }));

  const restore = (): Promise<void> =>
    startOn(async (data) => {
      await rm(data, { recursive: true });
      await cp(join(folder, "backup"), data, { recursive: true });
    });

  it("show what a fresh device shows, and their sends are accepted", async () => {
    const ann = await device("ann", "ann-old");
    const bob = await device("bob", "bob-old");
    for (let n = 1; n <= 4; n++) await sent(ann.client, { to: "bob" }, `kept ${n}`);
    const group = await ann.client.groups.create("Kept", ["bob"]);
    await sent(ann.client, { threadId: group.threadId }, "kept in the group");
    await backUp();
    for (let n = 1; n <= 3; n++) await sent(ann.client, { to: "bob" }, `lost ${n}`);
    await ann.client.groups.rename(group.threadId, "Lost");
    const later = await ann.client.groups.create("Made later", ["bob"]);
    await sent(ann.client, { threadId: later.threadId }, "lost with its group");
    await arrived(bob, "lost with its group");
    await close(bob.client);

    await restore();
    // Others write at the same seqs before ann's device looks.
    const fresh = await device("bob", "bob-new");
    await fresh.client.ready();
    for (let n = 1; n <= 5; n++) await sent(fresh.client, { to: "ann" }, `new ${n}`);

    const late = await ann.client.send({ to: "bob" }, "from the old device");
    assert.equal((await late.outcome()).seq, 10);
    await sent(ann.client, { threadId: group.threadId }, "in the group from the old device");
    const annNew = await device("ann", "ann-new");
    const bobAgain = await device("bob", "bob-old");
    const whole = await shown(annNew.client);
    assert.deepEqual(
      whole.threads.map(({ name }) => name).sort(),
      [undefined, "Kept"].sort(),
      "the group that was made later is gone",
    );
    assert.deepEqual(whole.texts.get(THREAD), [
      ...["kept 1", "kept 2", "kept 3", "kept 4"],
      ...["new 1", "new 2", "new 3", "new 4", "new 5", "from the old device"],
    ]);
    await comesToShow(ann.client, whole.texts);
    await comesToShow(bobAgain.client, whole.texts);
    assert.deepEqual(await shown(ann.client), whole);
    assert.equal(putBacks(ann.events), 1, "said once");
    assert.equal(putBacks(bobAgain.events), 1, "said to a device that was away");
    assert.equal(putBacks(annNew.events), 0);
    // A member of a group that is no more learns that at once.
    const gone = await ann.client.send({ threadId: later.threadId }, "nobody is there");
    await assert.rejects(gone.outcome());
  });

  it("find out what became of a send that was never answered, and send it once", async () => {
    const ann = await device("ann", "ann-old");
    for (let n = 1; n <= 4; n++) await sent(ann.client, { to: "bob" }, `kept ${n}`);
    await backUp();
    for (let n = 1; n <= 3; n++) await sent(ann.client, { to: "bob" }, `lost ${n}`);
    heddle.freeze();
    const tried = await ann.client.send({ to: "bob" }, "tried and not answered");
    const waiting = await ann.client.send({ to: "bob" }, "never tried");
    await restore();
    await Promise.all([tried.outcome(), waiting.outcome()]);
    const fresh = await device("bob", "bob-new");
    const whole = await shown(fresh.client);
    assert.deepEqual(whole.texts.get(THREAD), [
      ...["kept 1", "kept 2", "kept 3", "kept 4"],
      ...["tried and not answered", "never tried"],
    ]);
    assert.deepEqual((await shown(ann.client)).texts, whole.texts);
  });

  it("begin anew with other data, and give what was not sent to the person", async () => {
    const ann = await device("ann", "ann-old");
    for (let n = 1; n <= 4; n++) await sent(ann.client, { to: "bob" }, `lost ${n}`);
    await heddle.stop("SIGKILL");
    const waiting = await ann.client.send({ to: "bob" }, "not sent");
    await startOn((data) => rm(data, { recursive: true }));
    await assert.rejects(waiting.outcome(), /other data/);
    assert.equal(putBacks(ann.events), 1);
    assert.deepEqual(ann.client.threads(), []);
    const [failed] = ann.client.outbox();
    assert.equal(failed?.state, "failed");
    const again = await ann.client.retry(failed?.clientId ?? "");
    assert.equal((await again.outcome()).seq, 1);
    const fresh = await device("ann", "ann-new");
    const whole = await shown(fresh.client);
    assert.deepEqual(whole.texts.get(THREAD), ["not sent"]);
    assert.deepEqual(await shown(ann.client), whole);
    await close(ann.client);
    const reopened = await device("ann", "ann-old");
    assert.deepEqual(await shown(reopened.client), whole, "nothing of the other data is kept on disk");
  });

  it("notice nothing of a kill: sends go once, quickly, and nothing is sealed", async () => {
    const ann = await device("ann", "ann-old");
    for (let n = 1; n <= 3; n++) await sent(ann.client, { to: "bob" }, `text ${n}`);
    heddle.freeze();
    const tried = await ann.client.send({ to: "bob" }, "text 4");
    const waiting = await ann.client.send({ to: "bob" }, "text 5");
    await startOn(async () => {});
    const outcomes = await Promise.all([tried.outcome(), waiting.outcome()]);
    assert.deepEqual(
      outcomes.map(({ seq }) => seq),
      [4, 5],
    );
    const whole = await shown((await device("bob", "bob-new")).client);
    assert.deepEqual(whole.texts.get(THREAD), ["text 1", "text 2", "text 3", "text 4", "text 5"]);
    assert.equal(putBacks(ann.events), 0);
    assert.equal(ann.events.filter(({ type }) => type === "dropped").length, 0);
  });
});

async function sent(client: Client, target: Parameters<Client["send"]>[0], text: string): Promise<Send> {
  const send = await client.send(target, text);
  await send.outcome();
  return send;
}

/** Resolves when a text has come to a device, now or before. */
function arrived({ client, events }: Device, text: string): Promise<void> {
  const isIt = (event: ClientEvent) => event.type === "entry" && textOf(event.entry) === text;
  if (events.some(isIt)) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = client.on((event) => {
      if (!isIt(event)) return;
      stop();
      resolve();
    });
  });
}

/** What a person would see of all threads once the device has heard of them. */
async function shown(client: Client) {
  await client.ready();
  const texts = new Map<string, string[]>();
  const threads = client.threads().map(({ threadId, kind, peer, name, head, memberCount }) => {
    return { threadId, kind, peer, name, head, memberCount };
  });
  for (const { threadId } of threads) {
    const conversation = client.conversation(threadId);
    await conversation.open().catch(() => {}); // Of a group that is no more the server knows nothing.
    const entries = conversation.entries.filter(({ body }) => body.kind !== "void");
    texts.set(threadId, entries.map(textOf));
  }
  return { threads: threads.sort((a, b) => (a.threadId < b.threadId ? -1 : 1)), texts };
}

/** Resolves when a device that has looked at every thread shows these texts: what it held is compared, and comes anew. */
async function comesToShow(client: Client, texts: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const isSame = async () => isDeepStrictEqual((await shown(client)).texts, texts);
  let wake = () => {};
  const stop = client.on(() => wake());
  for (;;) {
    // Before the look: what changes during it counts.
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (await isSame()) break;
    await woken;
  }
  stop();
}

function textOf({ body }: Entry): string {
  return body.kind === "text" ? body.text : body.kind;
}
