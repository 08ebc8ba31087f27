import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { USER_ID_PATTERN, USER_ID_RULE } from "../base/ids.ts";
import { BodyTooLarge, readBody } from "../rpc/web/bounded-body.ts";
import { type HttpRoute, pathOf, sendJson } from "../rpc/web/http-route.ts";

/** A thousand users of 255 characters, with room. */
const MAX_BODY_BYTES = 384 * 1024;

/** How long a token of the development profile is good, in seconds: the default, and the most one may ask for. */
export const DEV_TOKEN_TTL_S = 24 * 3600;
const MAX_TTL_S = 30 * 24 * 3600;

const bodySchema = z.strictObject({
  users: z
    .array(z.string().regex(USER_ID_PATTERN, `a user is ${USER_ID_RULE}`))
    .min(1, "name at least one user")
    .max(1000, "at most 1000 users a call"),
  ttl_s: z.number().int().min(1).max(MAX_TTL_S).optional(),
});

/** Signs a user token. */
export type SignDevToken = (userId: string, ttlS: number) => Promise<string>;

/**
 * `POST /dev/tokens {"users":["ann"],"ttl_s":60}` → `{"tokens":{"ann":"…"}}`: signs anyone in by name (docs/design.md,
 * section 12). Development profile only. Answers only requests addressed to this machine by a loopback name, so that
 * a page elsewhere cannot reach it by pointing a name of its own at 127.0.0.1.
 */
export function devTokensRoute(sign: SignDevToken, defaultTtlS: number): HttpRoute {
  return (request, response) => {
    if (pathOf(request) !== "/dev/tokens") return false;
    answer(request, response, sign, defaultTtlS).catch(() => response.destroy());
    return true;
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  sign: SignDevToken,
  defaultTtlS: number,
): Promise<void> {
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(request.headers.host ?? "")) {
    return sendJson(response, 403, { error: "only for this machine: use localhost or 127.0.0.1" });
  }
  if (request.method !== "POST") {
    return sendJson(response.setHeader("allow", "POST"), 405, { error: "use POST" });
  }
  const parsed = await parse(request);
  if ("error" in parsed) return sendJson(response, parsed.status, { error: parsed.error });
  const { users, ttl_s: ttlS = defaultTtlS } = parsed.body;
  const names = [...new Set(users)];
  const tokens = await Promise.all(names.map(async (user) => [user, await sign(user, ttlS)] as const));
  sendJson(response.setHeader("cache-control", "no-store"), 200, { tokens: Object.fromEntries(tokens) });
}

async function parse(
  request: IncomingMessage,
): Promise<
  { readonly body: z.infer<typeof bodySchema> } | { readonly status: number; readonly error: string }
> {
  try {
    const result = bodySchema.safeParse(
      JSON.parse((await readBody(request, MAX_BODY_BYTES)).toString("utf8")),
    );
    if (result.success) return { body: result.data };
    const [issue] = result.error.issues;
    return { status: 400, error: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "wrong"}` };
  } catch (error) {
    if (error instanceof BodyTooLarge) return { status: 413, error: error.message };
    if (error instanceof SyntaxError) return { status: 400, error: 'send JSON: {"users":["ann"]}' };
    throw error;
  }
}
