import type { Clock } from "../../base/clock.ts";
import type { ShownPresence } from "../../base/presence.ts";
import { rendezvousOwner } from "../../base/rendezvous.ts";
import type { Member } from "../../base/ring.ts";
import type { Presence, PresenceAttachment } from "../ports.ts";

/** A link that its instance has closed is opened again after this long, in ms, if the instance is still in the ring. */
const ATTACH_AGAIN_MS = 1_000;

export interface PresenceLinksInit {
  readonly clock: Clock;
  readonly presence: Presence;
  /** The push server's name in the registry. */
  readonly name: string;
  /** What is to be shown of a user to these sessions. Only of the instance that owns the user. */
  readonly told: (userId: string, presence: ShownPresence, sessions: readonly string[]) => void;
  /** Links have come or gone, or users have moved. */
  readonly renewed: () => void;
}

/** The link to one incarnation of an instance. */
interface InstanceLink {
  readonly member: Member;
  readonly attachment: PresenceAttachment;
}

/**
 * This push server's links to the presence instances, one each, kept as the ring changes. While the ring is not loaded
 * there are none; what is stale counts as it was known last.
 */
export class PresenceLinks {
  readonly #init: PresenceLinksInit;
  /** By the name of the instance. */
  readonly #links = new Map<string, InstanceLink>();
  readonly #stopWatching: () => void;
  #members: readonly Member[] = [];
  #isClosed = false;

  constructor(init: PresenceLinksInit) {
    this.#init = init;
    const { ring } = init.presence;
    this.#stopWatching = ring.onChange(() => this.#follow());
    this.#members = ring.view().members;
    this.#attachAll();
  }

  /** All of them. */
  get all(): PresenceAttachment[] {
    return Array.from(this.#links.values(), ({ attachment }) => attachment);
  }

  has(attachment: PresenceAttachment): boolean {
    return this.all.includes(attachment);
  }

  /** The names of the instances among which `linkOf` looks. */
  get ring(): readonly string[] {
    return this.#members.map(({ name }) => name);
  }

  /** The link to the instance that owns the user; undefined while there is none. */
  linkOf(userId: string): PresenceAttachment | undefined {
    const owner = rendezvousOwner(this.#members, userId);
    return owner && this.#links.get(owner.name)?.attachment;
  }

  /** A goodbye to every instance. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    for (const attachment of this.all) attachment.close();
    this.#links.clear();
  }

  #follow(): void {
    const { members } = this.#init.presence.ring.view();
    if (this.#isClosed || isSame(members, this.#members)) return;
    this.#members = members;
    for (const [name, { member, attachment }] of [...this.#links]) {
      if (members.some((one) => isIncarnation(one, member))) continue;
      this.#links.delete(name);
      attachment.close();
    }
    this.#attachAll();
    this.#init.renewed();
  }

  #attachAll(): void {
    for (const member of this.#members) if (!this.#links.has(member.name)) this.#attach(member);
  }

  #attach(member: Member): void {
    const isCurrent = () => this.#links.get(member.name)?.attachment === attachment;
    const attachment = this.#init.presence.attach(member, {
      name: this.#init.name,
      told: (userId, presence, sessions) => {
        if (this.linkOf(userId) === attachment) this.#init.told(userId, presence, sessions);
      },
      closed: () => {
        if (!isCurrent() || this.#isClosed) return;
        this.#links.delete(member.name);
        this.#init.clock.after(ATTACH_AGAIN_MS, () => this.#attachAgain(member));
      },
    });
    this.#links.set(member.name, { member, attachment });
  }

  #attachAgain(member: Member): void {
    if (this.#isClosed || this.#links.has(member.name)) return;
    if (!this.#members.some((one) => isIncarnation(one, member))) return;
    this.#attach(member);
    this.#init.renewed();
  }
}

function isIncarnation(one: Member, other: Member): boolean {
  return one.name === other.name && one.incarnation === other.incarnation;
}

/** Rings are in the order of names. */
function isSame(members: readonly Member[], before: readonly Member[]): boolean {
  if (members.length !== before.length) return false;
  return members.every((member, at) => {
    const one = before[at];
    return one !== undefined && isIncarnation(member, one);
  });
}
