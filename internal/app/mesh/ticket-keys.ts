import type { JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { SigningKey } from "../../rpc/credentials/signing-key.ts";
import { type TicketKeySet, ticketKeySetOf } from "../../rpc/credentials/ticket-key-set.ts";
import { localKeys } from "../../rpc/credentials/user-tokens.ts";
import { setting } from "../settings/kinds.ts";
import { WatchedFiles } from "./watched-files.ts";

/** Of the keys of tickets, which gateways share. */
export const TICKET_KEY_SETTINGS = {
  HEDDLE_TICKET_KEYS_FILE: setting(
    z.string({ error: "name a file with a JWK set" }),
    "a JWK set of P-256 keys, reread when it changes: the first signs tickets, all verify them; push servers need public halves alone",
  ),
};

/** The keys of tickets, as the file has them now, read by `parse`. Close it. Throws SettingsError. */
export function watchTicketKeys<K extends TicketKeySet>(
  path: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  parse: (text: string) => K,
): WatchedFiles<K> {
  return new WatchedFiles({
    paths: { HEDDLE_TICKET_KEYS_FILE: path },
    clock,
    parse: ([text = ""]) => parse(text),
    changed: ({ publicJwks }) =>
      log.info({ keys: publicJwks.map(({ kid }) => kid) }, "ticket keys were read again"),
    failed: ({ message }) =>
      log.error({ why: message }, "ticket keys cannot be read: those from before go on to count"),
  });
}

/** As ticketKeySetOf, for a program that checks tickets: the keys are imported once, and not for each ticket. */
export function checkingTicketKeys(text: string): TicketKeySet & { readonly checking: JWTVerifyGetKey } {
  const keys = ticketKeySetOf(text);
  return { ...keys, checking: localKeys(keys.publicJwks) };
}

/** As ticketKeySetOf, for who signs: throws where the first key has no private half. */
export function signingTicketKeys(text: string): TicketKeySet & { readonly signing: SigningKey } {
  const keys = ticketKeySetOf(text);
  const { signing } = keys;
  if (!signing) throw new TypeError("its first key has no private half, and gateways sign by it");
  return { ...keys, signing };
}
