import assert from "node:assert/strict";
import { HeddleError } from "../../../base/heddle-error.ts";
import { fromHex, hex } from "../../../base/ids.ts";
import { directThreadId, groupThreadId } from "../../../base/thread-id.ts";
import type { ThreadService } from "../../../thread/service.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { checkDirect, checkGroup } from "./group-storm-checker.ts";
import { GroupStormClient } from "./group-storm-client.ts";
import { GroupStormServices, PUSH_SERVERS, type StormVariant } from "./group-storm-services.ts";

/** How large a storm is. */
export interface StormInit {
  readonly random: SeededRandom;
  readonly users: number;
  readonly groups: number;
  /** How long it lasts, in steps. */
  readonly steps: number;
  readonly variant?: StormVariant;
}

/** How long one step is, in ms. */
const STEP_MS = 5;
/** So many steps before the end all links break: what is missed then, few later entries reveal. */
const LINKS_BREAK_STEPS = 20;
/** In so many steps everything ends that is under way. */
const LOUD_STEPS = 1_000;
/** Time enough for all that is waited for or tried again: 3 s. */
const QUIET_STEPS = 150;
/** How long such a step is, in ms. */
const QUIET_STEP_MS = 20;

/** A group of the storm. */
interface Group {
  /** In hex. */
  readonly thread: string;
  /** Stays for ever, so that somebody sees everything. */
  readonly keeper: GroupStormClient;
}

/**
 * Users who join, leave, remove, block, post and come and go, all at once, on real services. `check` looks only at what
 * their clients were given.
 */
export class GroupStorm {
  /** What was answered to clients, in all. */
  readonly counts = {
    posts: 0,
    refusedPosts: 0,
    behinds: 0,
    liveEntries: 0,
    pulls: 0,
    joins: 0,
    leaves: 0,
    removals: 0,
    blocks: 0,
    connects: 0,
    brokenLinks: 0,
    replacedServers: 0,
  };
  readonly services: GroupStormServices;
  readonly #init: StormInit;
  readonly #random: SeededRandom;
  readonly #clients: readonly GroupStormClient[];
  readonly #groups: Group[] = [];
  /** Users whose call to block, or to unblock, is under way. */
  readonly #blocking = new Set<string>();
  /** Users who block their partner, with the head of their thread when that was answered. */
  readonly #blocked = new Map<string, number>();
  /** What is neither an answer nor a refusal. */
  readonly #faults: unknown[] = [];
  /** Makes each text another. */
  #texts = 0;

  constructor(init: StormInit) {
    this.#init = init;
    this.#random = init.random.fork("storm");
    this.services = new GroupStormServices(init.random.fork("calls"), init.variant ?? {});
    this.#clients = Array.from(
      { length: init.users },
      (_, at) => new GroupStormClient(at, this.services, this.counts),
    );
  }

  async run(): Promise<void> {
    for (const client of this.#clients) this.#connect(client);
    for (let at = 0; at < this.#init.groups; at++) await this.#create(at);
    for (let step = 0; step < this.#init.steps; step++) {
      if (step === this.#init.steps - LINKS_BREAK_STEPS) this.#breakLinks();
      for (let acts = this.#random.between(1, 6); acts > 0; acts--) this.#act();
      await this.#step();
    }
    await this.#settle();
  }

  /** Rejects with what may not be. */
  async check(): Promise<void> {
    for (const fault of this.#faults) throw fault;
    for (const { thread, keeper } of this.#groups) {
      checkGroup(this.#clients, thread, await keeper.headOf(thread));
    }
    for (const [at, client] of this.#clients.entries()) {
      const partner = this.#clients[at ^ 1];
      if (partner) checkDirect(this.#clients, hex(directThreadId(client.userId, partner.userId)));
    }
  }

  async #step(ms = STEP_MS): Promise<void> {
    await this.services.turn(ms);
    for (const client of this.#clients) client.look();
  }

  /** What is under way ends, and then what is only waited for, or tried again. */
  async #settle(): Promise<void> {
    const isLoud = () => this.#clients.some(({ isQuiet }) => !isQuiet);
    for (let step = 0; step < LOUD_STEPS && isLoud(); step++) await this.#step();
    for (let step = 0; step < QUIET_STEPS; step++) await this.#step(QUIET_STEP_MS);
    const loud = this.#clients.filter(({ isQuiet }) => !isQuiet).map(({ userId }) => userId);
    assert.deepEqual(loud, [], "clients that never come to rest");
  }

  #act(): void {
    const client = this.#random.pick(this.#clients);
    const group = this.#random.pick(this.#groups);
    const other = this.#random.pick(this.#clients);
    const chance = this.#random.fraction();
    if (chance < 0.5) this.#post(client, group);
    else if (chance < 0.6) this.#postDirect(client);
    else if (chance < 0.72) this.#add(group, other);
    else if (chance < 0.8) this.#remove(group, other);
    else if (chance < 0.86) this.#leave(client, group);
    else if (chance < 0.9) this.#block(client);
    else if (chance < 0.95) this.#connect(client);
    else if (chance < 0.99) this.#replaceMessage();
    else this.#breakLink();
  }

  #connect(client: GroupStormClient): void {
    this.counts.connects++;
    client.connect(this.#random.pick(this.services.servers));
  }

  #breakLink(at = this.#random.between(0, PUSH_SERVERS - 1)): void {
    this.counts.brokenLinks++;
    this.services.breakLink(at);
  }

  #breakLinks(): void {
    for (let at = 0; at < PUSH_SERVERS; at++) this.#breakLink(at);
  }

  #replaceMessage(): void {
    this.counts.replacedServers++;
    this.services.replaceMessage(this.#random.between(0, 1));
  }

  /** Members mostly; who is none is refused. */
  #post(client: GroupStormClient, { thread, keeper }: Group): void {
    const isMember = client.held.has(thread);
    (isMember ? client : keeper).post({ thread }, `text ${++this.#texts}`);
  }

  #partnerOf(client: GroupStormClient): GroupStormClient | undefined {
    return this.#clients[this.#clients.indexOf(client) ^ 1];
  }

  #postDirect(client: GroupStormClient): void {
    const partner = this.#partnerOf(client);
    if (partner) client.post({ userId: partner.userId }, `text ${++this.#texts}`);
  }

  async #create(at: number): Promise<void> {
    const keeper = this.#clients[at] as GroupStormClient;
    const requestId = this.services.newId();
    const thread = hex(groupThreadId(keeper.userId, requestId));
    const userIds = this.#random.some(this.#clients, this.#init.users / 4).map(({ userId }) => userId);
    const call = this.#threads.createGroup({ name: "group", userIds, requestId } as never, callOf(keeper));
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    call.then(done, done);
    while (!isDone) await this.#step();
    await call;
    this.#groups.push({ thread, keeper });
  }

  #add({ thread, keeper }: Group, other: GroupStormClient): void {
    const request = { threadId: fromHex(thread), userIds: [other.userId], requestId: this.services.newId() };
    this.#call(keeper, "joins", (threads, call) => threads.addMembers(request as never, call));
  }

  #remove({ thread, keeper }: Group, other: GroupStormClient): void {
    if (other === keeper) return;
    const request = { threadId: fromHex(thread), userIds: [other.userId], requestId: this.services.newId() };
    this.#call(keeper, "removals", (threads, call) => threads.removeMembers(request as never, call));
  }

  #leave(client: GroupStormClient, { thread, keeper }: Group): void {
    if (client === keeper) return;
    const request = { threadId: fromHex(thread), requestId: this.services.newId() };
    this.#call(client, "leaves", (threads, call) => threads.leaveGroup(request as never, call));
  }

  /** Blocks its partner, or takes that back; in between nothing of either may come into the log. */
  #block(client: GroupStormClient): void {
    const partner = this.#partnerOf(client);
    if (!partner || this.#blocking.has(client.userId)) return;
    this.#blocking.add(client.userId);
    const thread = hex(directThreadId(client.userId, partner.userId));
    const before = this.#blocked.get(client.userId);
    const request = { userId: partner.userId, requestId: this.services.newId() } as never;
    const done = () => this.#blocking.delete(client.userId);
    const blocking = async () => {
      if (before === undefined) {
        await this.#threads.blockUser(request, callOf(client));
        this.counts.blocks++;
        this.#blocked.set(client.userId, await client.headOf(thread));
        return;
      }
      const head = await client.headOf(thread);
      assert.equal(
        head,
        before,
        `judged: entry ${head} of ${client.userId} and its partner, who were blocked`,
      );
      this.#blocked.delete(client.userId);
      await this.#threads.unblockUser(request, callOf(client));
    };
    client.during(blocking()).then(done, (error: unknown) => {
      done();
      this.#note(error);
    });
  }

  #call(
    client: GroupStormClient,
    count: "joins" | "leaves" | "removals",
    make: (
      threads: ThreadService["handlers"],
      call: ReturnType<typeof callOf>,
    ) => Promise<{ readonly seq?: bigint | number }>,
  ): void {
    client.during(make(this.#threads, callOf(client))).then(
      ({ seq }) => {
        if (seq) this.counts[count]++;
      },
      (error: unknown) => this.#note(error),
    );
  }

  /** Refusals are what a storm is full of. */
  #note(error: unknown): void {
    if (error instanceof HeddleError) return;
    this.#faults.push(error);
  }

  get #threads(): ThreadService["handlers"] {
    return this.#random.pick(this.services.threads).handlers;
  }
}

function callOf({ userId }: GroupStormClient) {
  return { caller: { userId } };
}
