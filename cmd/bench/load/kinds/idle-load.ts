import { Crowd, type CrowdOptions } from "../clients/crowd.ts";

/** Clients that are connected, ping, and do nothing else. */
export class IdleLoad {
  #crowd = new Crowd();

  /** Connects more. Resolves to how many are connected. */
  async connect(options: CrowdOptions): Promise<number> {
    await this.#crowd.connect(options);
    return this.count();
  }

  /** How many are connected. Throws if one has lost its stream. */
  count(): number {
    this.#crowd.demandNoTrouble();
    return this.#crowd.clients.length;
  }

  /** Closes all of them. */
  close(): void {
    this.#crowd.close();
    this.#crowd = new Crowd();
  }
}
