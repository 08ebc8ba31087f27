import { storeUnavailable } from "../base/heddle-error.ts";
import type { Deadlines } from "../stream/deadlines.ts";
import type { MessageStore } from "./message-store.ts";

/**
 * The same store, whose calls reject with STORE_UNAVAILABLE after `ms` where they have not been answered. A call that
 * was given up on goes on: a write may still be applied.
 */
export function boundedMessageStore(store: MessageStore, deadlines: Deadlines, ms: number): MessageStore {
  const late = () => storeUnavailable("message");
  return {
    checkAndPut: (...args) => deadlines.bound(store.checkAndPut(...args), ms, late),
    put: (...args) => deadlines.bound(store.put(...args), ms, late),
    get: (...args) => deadlines.bound(store.get(...args), ms, late),
  };
}
