import { unlessAborted } from "./unless-aborted.ts";

/**
 * Gives a user token, at most 8,192 bytes. `isStale`: the last one was refused or has run out, so do not give it again.
 * It may take as long as it needs (a person may have to sign in); the signal aborts when the client closes.
 */
export type Credentials = (request: {
  readonly isStale: boolean;
  readonly signal: AbortSignal;
}) => Promise<string>;

/** The user token at hand. Fetched once however many calls wait for it. */
export class Tokens {
  readonly #credentials: Credentials;
  readonly #signal: AbortSignal;
  #token: string | undefined;
  #isStale = false;
  #fetching: Promise<string> | undefined;

  /** `signal` ends with the client. */
  constructor(credentials: Credentials, signal: AbortSignal) {
    this.#credentials = credentials;
    this.#signal = signal;
  }

  /**
   * The token. Rejects as the application's credentials do, and then the next call asks them again; or as the signal
   * does.
   */
  get(): Promise<string> {
    if (this.#token !== undefined) return Promise.resolve(this.#token);
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /**
   * Says that a token was refused or has run out. Of several calls that had the same one, only the first drops it: the
   * others name one that is no longer at hand, and leave the fresh one alone.
   */
  drop(token: string): void {
    if (token === this.#token) this.dropCurrent();
  }

  /** Says that the token at hand has run out. */
  dropCurrent(): void {
    this.#token = undefined;
    this.#isStale = true;
  }

  async #fetch(): Promise<string> {
    const given = this.#credentials({ isStale: this.#isStale, signal: this.#signal });
    const token = await unlessAborted(given, this.#signal);
    this.#token = token;
    this.#isStale = false;
    return token;
  }
}
