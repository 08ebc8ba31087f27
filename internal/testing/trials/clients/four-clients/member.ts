/** An entry as one client shows it. */
export interface Sighting {
  readonly seq: number;
  /** Hex. */
  readonly clientId: string;
  readonly sender: string;
  readonly text: string;
  /** Unix ms, as the server said it. */
  readonly createdAtMs: number;
}

/** A client in the conversation, of whatever kind. */
export interface Member {
  readonly userId: string;
  /** Says a text to the other user. */
  send(text: string): Promise<void>;
  /** Resolves when every entry up to this seq is in its view. */
  sees(seq: number): Promise<void>;
  /** What it shows, in the order in which it does. */
  view(): Promise<readonly Sighting[]>;
  /** Says that everything up to this seq was read. */
  read(seq: number): Promise<void>;
  /** Resolves when it knows that a user has read everything up to this seq. */
  seesRead(userId: string, seq: number): Promise<void>;
}
