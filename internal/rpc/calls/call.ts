/** Who calls, as the credential says: a user token, or a ticket (docs/design.md, sections 4 and 12). */
export interface Caller {
  readonly userId: string;
  /** When the credential itself expires, in Unix milliseconds. */
  readonly expiresAtMs: number;
  /** When the user token behind it expires, in Unix milliseconds. Equal to expiresAtMs for a user token. */
  readonly userTokenExpiresAtMs: number;
  /** From a user token only: what it says of how the user is called and looks, unchecked but for its length. */
  readonly name?: string;
  readonly picture?: string;
  /** From a ticket only: the session it permits. 16 bytes. */
  readonly sessionId?: Uint8Array;
  /** From a ticket only: the device it was issued to. */
  readonly deviceId?: string;
  /** From a ticket only: Connect and Subscribe were allowed until then (checked already), in Unix milliseconds. */
  readonly openByMs?: number;
}

/** One call as handlers see it, whatever transport it came on. */
export interface Call {
  readonly caller: Caller;
  /** Hex, made by the server, or what the client gave as `x-request-id` where that is harmless text. */
  readonly requestId: string;
  /** The address that a unary call comes from (sourceOf); "" or left out where it is not known. */
  readonly source?: string;
  /** Aborts when the deadline passes or the client is gone; the reason is then a HeddleError. */
  readonly signal: AbortSignal;
}
