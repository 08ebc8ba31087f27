import {
  type Client,
  Code,
  type Credentials,
  connect,
  ErrorReason,
  HeddleError,
  type Transport,
} from "../../../client/index.ts";
import { MemoryStorage } from "../../../client/storage/memory-storage.ts";
import { IndexedDbStorage, type KeptListener } from "../../../client/web/indexed-db.ts";
import { webTransport } from "../../../client/web/transport.ts";
import type { BrowserMemory } from "../memory/browser-memory.ts";
import { type Identity, signInByName, storeIdentity } from "../memory/identity.ts";
import type { NoteStore } from "../memory/notes.ts";
import { installation } from "../memory/slot-memory.ts";

/**
 * A client of the library for one slot: a device and a storage of its own, so that tabs of one user neither end each
 * other's session nor send each other's messages. Where the browser keeps nothing, memory is its storage. `onKept`: told
 * whether what the client keeps outlives this tab, at first if it does not, then when that changes.
 */
export async function openClient(
  identity: Identity,
  slot: number,
  memory: BrowserMemory,
  onKept: KeptListener = () => {},
): Promise<Client> {
  const { userId } = identity;
  const { window, browser, tab } = memory;
  const storage = await IndexedDbStorage.open(databaseName(userId, slot), onKept).catch(() => {
    onKept(false);
    return new MemoryStorage();
  });
  return await connect({
    userId,
    deviceId: `web-${installation(browser)}-${slot}`,
    transport: onThisOrigin(webTransport({ url: window.location.origin }), window.location.origin),
    credentials: credentialsOf(identity, tab),
    storage,
  });
}

/** Leaves nothing of a user's chats behind in a slot. Only after its client was closed. */
export function forgetChats(userId: string, slot: number, window: Window): void {
  window.indexedDB?.deleteDatabase(databaseName(userId, slot));
}

/** One for each user and slot: what one user of this browser leaves, another never opens. */
function databaseName(userId: string, slot: number): string {
  return `heddle-${userId}-${slot}`;
}

/**
 * The server that serves this page holds its session too. The permit may know it by another name (127.0.0.1 for
 * localhost, the inner name of what stands behind a proxy), which the page's policy would not let it call.
 */
function onThisOrigin(transport: Transport, origin: string): Transport {
  return {
    call: (method, request, options) => transport.call(method, request, options),
    open: (options) => transport.open({ ...options, permit: { ...options.permit, webUrl: origin } }),
    close: () => transport.close(),
  };
}

/** A stale token is replaced without asking where the sign-in was by name; else it means: sign in again. */
function credentialsOf(identity: Identity, tab: NoteStore): Credentials {
  let current = identity;
  return async ({ isStale }) => {
    if (!isStale) return current.token;
    const fresh = identity.isByName ? await signInByName(identity.userId) : "unavailable";
    if (fresh === "unavailable") {
      throw new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_EXPIRED, "the user token has run out");
    }
    current = fresh;
    storeIdentity(tab, fresh);
    return fresh.token;
  };
}
