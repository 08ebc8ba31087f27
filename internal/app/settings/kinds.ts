import { z } from "zod";
import type { Setting } from "../../base/env.ts";
import { plainAddress } from "../../rpc/calls/source-address.ts";
import { type ListenAddress, parseListenAddress } from "../../rpc/listen-address.ts";

/**
 * A setting: how its text is read, and the sentence that `config print` shows. `about` begins with a small letter and
 * names the profile where it matters.
 */
export const setting = <T>(schema: z.ZodType<T>, about: string): Setting<T> => ({ schema, about });

/** An address to listen at, `host:port`. It stays text here, so that `config print` shows what was meant. */
export const address = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const parsed = parseListenAddress(text);
      if (parsed) return parsed.text;
      context.addIssue({
        code: "custom",
        message: `${text} is no address: write host:port, as in ${fallback}`,
      });
      return z.NEVER;
    });

/** An address that `address` has checked. Throws only if the two disagree, which is a fault. */
export function addressOf(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (!parsed) throw new Error(`not an address after all: ${text}`);
  return parsed;
}

/** An address that others dial. Without a slash at the end: paths are added to it. */
export const url = z
  .url({ protocol: /^https?$/, error: "write a URL that begins with https:// or http://" })
  .transform((text) => text.replace(/\/+$/, ""))
  .optional();

/** IP addresses, separated by commas, each in the one form in which addresses are compared (no IPv4 within IPv6). */
export const addresses = z
  .string()
  .default("")
  .transform((text, context) => {
    const parts = text.split(",").map((part) => part.trim());
    const given = parts.filter((part) => part !== "");
    for (const part of given) {
      if (plainAddress(part) === "")
        context.addIssue({
          code: "custom",
          message: `${part} is no IP address: write 10.0.0.1 or 2001:db8::1`,
        });
    }
    return given.map(plainAddress);
  });

/** A whole number within bounds, both included. The bounds keep a slip of the finger from stopping a service. */
export const whole = (fallback: number, min: number, max: number) =>
  z.coerce
    .number({ error: "write a number" })
    .int("write a whole number")
    .min(min, `at least ${min}`)
    .max(max, `at most ${max}`)
    .default(fallback);

/** The name of a claim of a token. */
export const claim = (fallback: string) =>
  z
    .string()
    .regex(/^[!-~]{1,100}$/, "write the name of a claim")
    .default(fallback);

/** One of a few words. */
export const oneOf = <const W extends readonly [string, ...string[]]>(words: W) =>
  z.enum(words, { error: `write one of ${words.join(", ")}` });

/** What a text names between its commas. */
export function listIn(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
