import type { Client, Send } from "../../../client/index.ts";

/** Sends that wait at a time, those of earlier runs included: fewer than the 1,000 that the outbox takes. */
const MOST_WAITING = 800;

/**
 * The sends of a pipe. Lines may come faster than they can go: `room` holds the reader back until the outbox can take
 * the next, so that none is refused for want of room. Patience counts from the last send that went.
 */
export class PipedSends {
  readonly #client: Client;
  readonly #patienceMs: number | undefined;
  /** Asked for, and not known to be in the outbox yet. */
  #placing = 0;
  #failed = 0;
  #waked = () => {};

  /** `patienceMs`: how long it waits for one to go; undefined: for as long as it takes. */
  constructor(client: Client, patienceMs: number | undefined) {
    this.#client = client;
    this.#patienceMs = patienceMs;
  }

  /** Those added that were not taken, or have failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Sends whose outcome is not known yet, those of earlier runs included. */
  get waiting(): number {
    return this.#placing + this.#client.outbox().filter((item) => item.state !== "failed").length;
  }

  /** Resolves to true when one more can be added, and to false when none has gone for as long as patience is. */
  room(): Promise<boolean> {
    // Where nothing but failed ones stand in the way, the next is refused, and says so.
    return this.#until(
      () => this.#placing + this.#client.outbox().length < MOST_WAITING || this.waiting === 0,
    );
  }

  /** Resolves to true when every outcome is known, and to false when patience is over. */
  settled(): Promise<boolean> {
    return this.#until(() => this.waiting === 0);
  }

  /** Makes a send. Resolves when it is safe. Rejects as it does. */
  async add(send: () => Promise<Send>): Promise<void> {
    this.#placing += 1;
    try {
      const placed = await send();
      placed.outcome().catch(() => {
        if (placed.item.state === "failed") this.#failed += 1;
      });
    } catch (thrown) {
      this.#failed += 1;
      throw thrown;
    } finally {
      this.#placing -= 1;
      this.#waked();
    }
  }

  #late(then: () => void): NodeJS.Timeout | undefined {
    return this.#patienceMs === undefined ? undefined : setTimeout(then, this.#patienceMs);
  }

  async #until(isSo: () => boolean): Promise<boolean> {
    while (!isSo()) if (!(await this.#oneGoes())) return isSo();
    return true;
  }

  /** Resolves to whether one goes before patience, or the client, is at its end. */
  #oneGoes(): Promise<boolean> {
    const before = this.waiting;
    return new Promise((resolve) => {
      const end = (goes: boolean) => {
        stop();
        clearTimeout(timer);
        this.#waked = () => {};
        resolve(goes);
      };
      const look = () => {
        if (this.waiting < before) end(true);
        else if (this.#client.state.phase === "signed-out") end(false);
      };
      const stop = this.#client.on(({ type }) => (type === "outbox" || type === "state") && look());
      // What is on its way to this device's storage is there soon, and is waited for.
      const late = () => {
        if (this.#placing > 0) timer = this.#late(late);
        else end(false);
      };
      let timer = this.#late(late);
      this.#waked = look;
      look();
    });
  }
}
