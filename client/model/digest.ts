/** SHA-256 of some bytes: 32 bytes. */
export type Digest = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/** The platform's, in browsers and Node. It answers from another thread. */
export const platformDigest: Digest = async (bytes) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
