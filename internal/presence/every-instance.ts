import type { Clock } from "../base/clock.ts";
import { peerUnavailable } from "../base/heddle-error.ts";
import { type Member, type Ring, registrationKey } from "../base/ring.ts";
import { CONFIRM_AGAIN_MS, CONFIRM_MS, ERRANDS } from "./limits.ts";
import type { PresenceInstance } from "./ports.ts";

export interface EveryInstanceInit {
  readonly clock: Clock;
  /** All instances that are registered, those that leave among them: they may still tell what they know. */
  readonly registered: Ring;
  /** Must not throw: one that cannot be reached rejects when it is asked. */
  readonly instance: (member: Member) => Pick<PresenceInstance, Change>;
  /** The instance that needs not be told, by its name. */
  readonly except?: string;
}

type Change = "blockChanged" | "membersChanged" | "visibilityChanged";

/** Something that every instance is to be told. */
interface Errand {
  readonly tell: (instance: Pick<PresenceInstance, Change>) => Promise<void>;
  /** Registrations that have confirmed, and those that are being told. */
  readonly confirmed: Set<string>;
  readonly asked: Set<string>;
  /** Whether the ring is as new as the errand, as far as the registry answers. */
  isListed: boolean;
  readonly over: (error?: Error) => void;
}

/**
 * What thread, message and presence servers tell every presence instance of: a change in who may see which user
 * (docs/design.md, section 8). It is confirmed when every instance has done so, or is known to be gone: its registration
 * has left the registry, and an instance that is not sure of its lease tells nothing unchecked. The ring is listed anew
 * for each change: an instance that registers later makes its checks after the change was stored.
 */
export class EveryInstance implements Pick<PresenceInstance, Change> {
  readonly #init: EveryInstanceInit;
  readonly #errands = new Set<Errand>();
  readonly #stopWatching: () => void;

  constructor(init: EveryInstanceInit) {
    this.#init = init;
    this.#stopWatching = init.registered.onChange(() => {
      for (const errand of [...this.#errands]) this.#look(errand);
    });
  }

  /** Changes that some instance has not confirmed. */
  get waiting(): number {
    return this.#errands.size;
  }

  /** Resolves when it is confirmed. Rejects with PEER_UNAVAILABLE after CONFIRM_MS; it is told until it is confirmed. */
  blockChanged(a: string, b: string): Promise<void> {
    return this.#tell((instance) => instance.blockChanged(a, b));
  }

  /** See blockChanged. */
  membersChanged(userIds: readonly string[]): Promise<void> {
    return this.#tell((instance) => instance.membersChanged(userIds));
  }

  /** See blockChanged. */
  visibilityChanged(userId: string, hides: boolean): Promise<void> {
    return this.#tell((instance) => instance.visibilityChanged(userId, hides));
  }

  /** Tells nobody any more. */
  close(): void {
    this.#stopWatching();
    for (const errand of [...this.#errands]) this.#end(errand, peerUnavailable("presence"));
  }

  #tell(tell: Errand["tell"]): Promise<void> {
    const { clock, registered } = this.#init;
    const [oldest] = this.#errands;
    if (oldest && this.#errands.size >= ERRANDS) this.#end(oldest, peerUnavailable("presence"));
    return new Promise((resolve, reject) => {
      const cancel = clock.after(CONFIRM_MS, () => reject(peerUnavailable("presence")));
      const over = (error?: Error) => {
        cancel();
        if (error) reject(error);
        else resolve();
      };
      const errand: Errand = { tell, confirmed: new Set(), asked: new Set(), isListed: false, over };
      this.#errands.add(errand);
      this.#look(errand);
      // Where the registry is away nobody registers, and the ring is as new as it can be.
      void registered.listAgain().then(() => {
        errand.isListed = true;
        this.#look(errand);
      });
    });
  }

  /** Asks those that have not been asked, and ends the errand if nobody is left. */
  #look(errand: Errand): void {
    if (!this.#errands.has(errand)) return;
    const { registered, except } = this.#init;
    const { state, members } = registered.view();
    if (state === "not_loaded") return; // Nobody is known to be there, or not to be.
    let isConfirmed = errand.isListed;
    for (const member of members) {
      const key = registrationKey(member);
      if (member.name === except || errand.confirmed.has(key)) continue;
      isConfirmed = false;
      if (!errand.asked.has(key)) void this.#ask(errand, member, key);
    }
    if (isConfirmed) this.#end(errand);
  }

  async #ask(errand: Errand, member: Member, key: string): Promise<void> {
    errand.asked.add(key);
    try {
      await errand.tell(this.#init.instance(member));
      errand.confirmed.add(key);
      this.#look(errand);
    } catch {
      this.#init.clock.after(CONFIRM_AGAIN_MS, () => {
        errand.asked.delete(key);
        this.#look(errand);
      });
    }
  }

  #end(errand: Errand, error?: Error): void {
    this.#errands.delete(errand);
    errand.over(error);
  }
}
