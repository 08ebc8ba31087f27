import {
  type Client,
  Code,
  type Credentials,
  connect,
  ErrorReason,
  HeddleError,
  type Transport,
} from "../../client/index.ts";
import { IndexedDbStorage } from "../../client/web/indexed-db.ts";
import { webTransport } from "../../client/web/transport.ts";
import { type Identity, signInByName, storeIdentity } from "./identity.ts";
import { installation } from "./slot-memory.ts";

/**
 * A client of the library for one slot: a device and a storage of its own, so that tabs of one user neither end each
 * other's session nor send each other's messages. Rejects with an Error that a person can read if this browser keeps
 * nothing for the page.
 */
export async function openClient(identity: Identity, slot: number, window: Window): Promise<Client> {
  const { userId } = identity;
  const storage = await IndexedDbStorage.open(databaseName(userId, slot)).catch((cause) => {
    throw new Error(
      "This browser keeps nothing for this page, so a message could get lost. Leave private mode.",
      {
        cause,
      },
    );
  });
  return await connect({
    userId,
    deviceId: `web-${installation(window.localStorage)}-${slot}`,
    transport: onThisOrigin(webTransport({ url: window.location.origin }), window.location.origin),
    credentials: credentialsOf(identity, window.sessionStorage),
    storage,
  });
}

/** Leaves nothing of a user's chats behind in a slot. Only after its client was closed. */
export function forgetChats(userId: string, slot: number, window: Window): void {
  window.indexedDB.deleteDatabase(databaseName(userId, slot));
}

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
function credentialsOf(identity: Identity, tab: Storage): Credentials {
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
