/** What browsers add to `@heddle/client`, as `@heddle/client/browser`: gRPC-Web, and state in IndexedDB. */
export { IndexedDbStorage } from "./web/indexed-db.ts";
export { type WebTransportOptions, webTransport } from "./web/transport.ts";
