import type { Member, Ring, RingView } from "../../../base/ring.ts";

/** A ring whose members a test says. */
export class FakeRing implements Ring {
  #view: RingView;
  /** Of the last one that was registered: each registration has a higher one, as in the registry. */
  #incarnation = 0;
  readonly #callbacks = new Set<() => void>();

  /** Undefined: it is not loaded. */
  constructor(names?: readonly string[]) {
    this.#view = { state: "not_loaded", members: [], number: 0, hidden: 0 };
    if (names) this.set(names);
  }

  view(): RingView {
    return this.#view;
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** There is nothing newer than what was set. */
  async listAgain(): Promise<boolean> {
    return true;
  }

  /** From now on these are registered; those that were before as they were. */
  set(names: readonly string[], state: RingView["state"] = "known"): void {
    const before = new Map(this.#view.members.map((member) => [member.name, member]));
    const registered = (name: string): Member => ({ name, address: name, incarnation: ++this.#incarnation });
    const members = [...names].sort().map((name) => before.get(name) ?? registered(name));
    this.#view = { state, members, number: this.#incarnation, hidden: 0 };
    for (const callback of [...this.#callbacks]) callback();
  }

  /** One more is registered; of one that is there already nothing changes. */
  add(name: string): void {
    this.set([...this.#names(), name]);
  }

  /** It is no longer registered; added again it is another registration. */
  remove(name: string): void {
    this.set(this.#names().filter((one) => one !== name));
  }

  #names(): string[] {
    return this.#view.members.map((member) => member.name);
  }
}
