import type { JsonChild, Said } from "./json-child.ts";
import type { Member, Sighting } from "./member.ts";

/** A client that speaks the lines of `bin/chat --json`: the terminal client, and docs/examples/python_client.py. */
export class LineMember implements Member {
  readonly userId: string;
  /** The program, which the test ends. */
  readonly child: JsonChild;
  readonly #peer: string;

  constructor(userId: string, peer: string, child: JsonChild) {
    this.userId = userId;
    this.child = child;
    this.#peer = peer;
  }

  async send(text: string): Promise<void> {
    this.child.tell({ to: this.#peer, text });
  }

  sees(seq: number): Promise<void> {
    return this.child.until(`entry ${seq}`, () => this.#entries().length >= seq);
  }

  async view(): Promise<readonly Sighting[]> {
    return this.#entries().map(({ seq, client_id, from, text, created_at_ms }) => ({
      seq: Number(seq),
      clientId: String(client_id),
      sender: String(from),
      text: String(text),
      createdAtMs: Number(created_at_ms),
    }));
  }

  async read(seq: number): Promise<void> {
    this.child.tell({ to: this.#peer, read_seq: seq });
  }

  seesRead(userId: string, seq: number): Promise<void> {
    const says = ({ type, user, read_seq }: Said) =>
      type === "receipt" && user === userId && Number(read_seq) >= seq;
    return this.child.until(`receipt of ${userId} for ${seq}`, () => this.child.said.some(says));
  }

  /** In the order in which it printed them: none is printed twice. */
  #entries(): Said[] {
    return this.child.said.filter(({ type }) => type === "entry");
  }
}
