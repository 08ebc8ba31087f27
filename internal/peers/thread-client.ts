import type { SyncPage, Threads } from "../push/ports.ts";
import { CALL_MS, SEND_MS } from "../rpc/links/budget.ts";
import type { LinkCaller } from "../rpc/links/link-client.ts";
import { THREAD } from "./thread-methods.ts";

/** The thread service of another program, as a push server needs it. Reads may be repeated, by who asks. */
export class ThreadClient implements Threads {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  /** A page has the budget that a push server gives it, since heads of 200 threads are read for it. */
  async sync(userId: string, cursor: Uint8Array, pageToken: Uint8Array): Promise<SyncPage> {
    const page = await this.#link.call(THREAD.sync, { userId, cursor, pageToken }, SEND_MS);
    return { threads: page.threads, nextPageToken: page.nextPageToken, cursor: page.cursor };
  }

  async groups(userId: string): Promise<readonly Uint8Array[]> {
    return (await this.#link.call(THREAD.groups, { userId }, SEND_MS)).threadIds;
  }

  /** As a notice: a time of last use that is lost is written with the next one. */
  deviceUsed(userId: string, deviceId: string): void {
    this.#link.notify(THREAD.deviceUsed, { userId, deviceId });
  }

  async revoked(userId: string, deviceIds: readonly string[]): Promise<readonly string[]> {
    const request = { userId, deviceIds: [...deviceIds] };
    return (await this.#link.call(THREAD.revoked, request, CALL_MS)).deviceIds;
  }
}
