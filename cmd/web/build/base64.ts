/**
 * Bytes of base64, in its usual alphabet or that of URLs, padded or not, as gRPC-Web has them in its trailers. By the
 * browser; throws a DOMException for what is no base64.
 */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/** Nothing that the page sends is base64. */
export function base64Encode(): never {
  throw new Error("the page writes no base64");
}
