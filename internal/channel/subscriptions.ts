import type { Topic } from "../base/publication.ts";
import type { AttachedLink } from "./attached-link.ts";

const NONE: readonly AttachedLink[] = [];

/**
 * Topic → links. Kept one way only: a link does not know its topics, because links end rarely and topics are many
 * (one per online user), so ending a link may cost a walk over all topics but a subscription costs no second record.
 */
export class Subscriptions {
  readonly #links = new Map<Topic, AttachedLink[]>();

  /** Topics with at least one link. */
  get size(): number {
    return this.#links.size;
  }

  linksOf(topic: Topic): readonly AttachedLink[] {
    return this.#links.get(topic) ?? NONE;
  }

  add(topic: Topic, link: AttachedLink): void {
    const links = this.#links.get(topic);
    if (!links) this.#links.set(topic, [link]);
    else if (!links.includes(link)) links.push(link);
  }

  remove(topic: Topic, link: AttachedLink): void {
    const links = this.#links.get(topic);
    const at = links?.indexOf(link) ?? -1;
    if (!links || at < 0) return;
    links.splice(at, 1);
    if (links.length === 0) this.#links.delete(topic);
  }

  /** Removes the link from every topic. */
  removeAll(link: AttachedLink): void {
    for (const topic of this.#links.keys()) this.remove(topic, link);
  }
}
