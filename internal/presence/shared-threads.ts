import { directThreadId } from "../base/thread-id.ts";
import type { Privacy, Threads } from "./ports.ts";
import type { Visibilities } from "./visibilities.ts";

/** Whose presence a user may see: of those with whom the user shares a thread, and who do not hide. */
export class SharedThreads implements Privacy {
  readonly #threads: Threads;
  readonly #visibilities: Visibilities;

  constructor(threads: Threads, visibilities: Visibilities) {
    this.#threads = threads;
    this.#visibilities = visibilities;
  }

  async maySee(viewer: string, user: string): Promise<boolean> {
    if (viewer === user) return false;
    if ((await this.#visibilities.read(user)) === "nobody") return false;
    const view = await this.#threads.view(directThreadId(viewer, user), viewer);
    return view?.members.includes(user) ?? false;
  }
}
