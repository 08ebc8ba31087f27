/** Where an accepted send is. */
export interface Place {
  readonly threadId: string;
  readonly seq: number;
  /** Undefined where a live entry or ResolveSend said so, without the time at hand. */
  readonly createdAtMs: number | undefined;
  readonly recipientOffline: boolean | undefined;
}
