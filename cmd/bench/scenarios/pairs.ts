import type { LoadKinds } from "../load/main.ts";
import type { Remote } from "../loads/load-process.ts";
import type { Stage } from "../scenario.ts";
import type { ServerProcess, SignedIn } from "../server/server-process.ts";

/** A server and a load of connected pairs with a thread each. */
export interface Pairs {
  readonly server: ServerProcess;
  readonly load: Remote<LoadKinds["chat"]>;
  readonly users: readonly SignedIn[];
}

/** Names that sort by number. Those of two prefixes never meet. */
export function userNames(count: number, prefix = "u"): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(6, "0")}`);
}

/**
 * Starts both, signs everybody in, connects them. `clients` is even; neighbours are pairs. Resolves when each pair's
 * thread has its first entry, so that no window has the making of a thread in it.
 */
export async function connectPairs(
  stage: Stage,
  options: { readonly clients: number; readonly textBytes: number },
): Promise<Pairs> {
  const server = await stage.server();
  const users = await server.signIn(userNames(options.clients));
  const load = stage.load("chat");
  const { grpcUrl } = server;
  await load.connect({ grpcUrl, users, atOnce: 16, textBytes: options.textBytes });
  stage.progress(`${options.clients} clients connected`);
  return { server, load, users };
}
