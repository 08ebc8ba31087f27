import type { Clock } from "../../base/clock.ts";
import type { ShownPresence } from "../../base/presence.ts";
import type { PresenceAttachment, PresenceInstance, PresenceRing } from "../ports.ts";

/** A link that its instance has closed is opened again after this long, in ms, if the instance is still in the ring. */
const ATTACH_AGAIN_MS = 1_000;

export interface PresenceLinksInit {
  readonly clock: Clock;
  readonly ring: PresenceRing;
  /** The push server's name in the registry. */
  readonly name: string;
  /** What is to be shown of a user to these sessions. Only of the instance that owns the user. */
  readonly told: (userId: string, presence: ShownPresence, sessions: readonly string[]) => void;
  /** Links have come or gone, or users have moved. */
  readonly renewed: () => void;
}

/** This push server's links to the presence instances, one each, kept as the ring changes. */
export class PresenceLinks {
  readonly #init: PresenceLinksInit;
  readonly #attached = new Map<PresenceInstance, PresenceAttachment>();
  readonly #stopWatching: () => void;
  #isClosed = false;

  constructor(init: PresenceLinksInit) {
    this.#init = init;
    this.#stopWatching = init.ring.onChange(() => this.#follow());
    this.#attachAll();
  }

  /** All of them. */
  get all(): Iterable<PresenceAttachment> {
    return this.#attached.values();
  }

  /** The link to the instance that owns the user; undefined while there is none. */
  linkOf(userId: string): PresenceAttachment | undefined {
    const owner = this.#init.ring.owner(userId);
    return owner && this.#attached.get(owner);
  }

  /** A goodbye to every instance. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    for (const attachment of this.#attached.values()) attachment.close();
    this.#attached.clear();
  }

  #follow(): void {
    if (this.#isClosed) return;
    const instances = this.#init.ring.instances();
    for (const [instance, attachment] of [...this.#attached]) {
      if (instances.includes(instance)) continue;
      this.#attached.delete(instance);
      attachment.close();
    }
    this.#attachAll();
    this.#init.renewed();
  }

  #attachAll(): void {
    for (const instance of this.#init.ring.instances()) {
      if (!this.#attached.has(instance)) this.#attach(instance);
    }
  }

  #attach(instance: PresenceInstance): void {
    const isCurrent = () => this.#attached.get(instance) === attachment;
    const attachment: PresenceAttachment = instance.attach({
      name: this.#init.name,
      told: (userId, presence, sessions) => {
        if (this.linkOf(userId) === attachment) this.#init.told(userId, presence, sessions);
      },
      closed: () => {
        if (!isCurrent() || this.#isClosed) return;
        this.#attached.delete(instance);
        this.#init.clock.after(ATTACH_AGAIN_MS, () => {
          if (!this.#attached.has(instance)) this.#follow();
        });
      },
    });
    this.#attached.set(instance, attachment);
  }
}
