import type { Assignments } from "./assignments.ts";
import { ASSIGNMENT_TYPE, type DiscoveryRequest, discoveryResponse } from "./discovery-frames.ts";

/** Who hears of an Envoy's stream. */
export interface EnvoyStreamInit {
  readonly assignments: Assignments;
  /** Sends an encoded DiscoveryResponse. False: hold the next until `drained` is called. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** Envoy did not take an answer, and keeps what it had. */
  readonly onRefused: (nodeId: string, why: string) => void;
  /** It asks for what is not served here, and may wait for it. */
  readonly onUnknown: (nodeId: string, what: string) => void;
}

/**
 * One Envoy's stream of discovery, "state of the world": it names the clusters it wants, and hears of each as soon as its
 * endpoints are known, and again when they change. What changes while it does not read is told once, as it is then.
 */
export class EnvoyStream {
  readonly #init: EnvoyStreamInit;
  #nodeId = "";
  #wanted: readonly string[] = [];
  /** By cluster, what was sent last on this stream. */
  #sent = new Map<string, Uint8Array>();
  #count = 0;
  #isHeld = false;

  constructor(init: EnvoyStreamInit) {
    this.#init = init;
  }

  /** `node.id` of the Envoy; "" before its first request. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** A request: the first, an answer to what was sent, or other names. */
  take(request: DiscoveryRequest): void {
    this.#nodeId ||= request.nodeId;
    if (request.typeUrl !== ASSIGNMENT_TYPE) {
      this.#init.onUnknown(this.#nodeId, request.typeUrl);
      return;
    }
    if (request.refusal !== undefined) this.#init.onRefused(this.#nodeId, request.refusal);
    // About an answer that was overtaken by another: Envoy says the same again about that one.
    if (request.nonce !== "" && request.nonce !== String(this.#count)) return;
    this.#want(request.names);
    this.tell();
  }

  /** Sends what is known and was not sent. Called when endpoints have changed. */
  tell(): void {
    if (this.#isHeld) return;
    const news = new Map<string, Uint8Array>();
    for (const cluster of this.#wanted) {
      const bytes = this.#init.assignments.get(cluster);
      if (bytes && bytes !== this.#sent.get(cluster)) news.set(cluster, bytes);
    }
    if (news.size === 0) return;
    for (const [cluster, bytes] of news) this.#sent.set(cluster, bytes);
    this.#count += 1;
    const nonce = String(this.#count);
    const answer = { version: nonce, typeUrl: ASSIGNMENT_TYPE, nonce, resources: [...news.values()] };
    this.#isHeld = !this.#init.send(discoveryResponse(answer));
  }

  /** What was sent has left: the next may go. */
  drained(): void {
    this.#isHeld = false;
    this.tell();
  }

  /** A cluster that is asked for again after it was not wanted is told again. */
  #want(names: readonly string[]): void {
    const before = new Set(this.#wanted);
    for (const name of names) {
      if (!before.has(name) && !this.#init.assignments.has(name)) this.#init.onUnknown(this.#nodeId, name);
    }
    this.#wanted = names;
    const wanted = new Set(names);
    for (const name of this.#sent.keys()) if (!wanted.has(name)) this.#sent.delete(name);
  }
}
