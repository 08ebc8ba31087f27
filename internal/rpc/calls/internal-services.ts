import type { Authenticate, ServiceBinding } from "./handlers.ts";

/**
 * The services between programs are named so, and stand on listeners of their own: a public one refuses to be made with
 * one of them (docs/design.md, section 12).
 */
const INTERNAL = /\.[A-Za-z]+InternalService$/;

/** Throws if one of the services is for the programs of the mesh alone. */
export function refuseInternal(services: readonly ServiceBinding[]): void {
  const internal = services.find(({ desc }) => INTERNAL.test(desc.typeName));
  if (internal) throw new Error(`${internal.desc.typeName} must not stand on a public listener`);
}

/** Programs of the mesh have no user; who may dial is the listener's matter: its address, and its certificates. */
export const insider: Authenticate = async () => ({ userId: "", expiresAtMs: 0, userTokenExpiresAtMs: 0 });
