import type { Stage } from "../scenario.ts";
import type { ServerProcess, SignedIn } from "../server/server-process.ts";

/** Streams between two lines of progress; a multiple of it is what a load process may hold. */
const STEP = 500;

/** Streams that connect at a time: the server syncs the devices that open at one moment to its disk together. */
export const AT_ONCE = 128;

/**
 * Signs users in and hands them to `connect`, with how many came before: 500 at a time, and says how far it is. One
 * step ends before the next begins, so that the server is never stormed beyond what the scenario is about.
 */
export async function connectInSteps(
  stage: Stage,
  server: ServerProcess,
  names: readonly string[],
  connect: (users: readonly SignedIn[], before: number) => Promise<unknown>,
): Promise<void> {
  for (let before = 0; before < names.length; before += STEP) {
    const users = await server.signIn(names.slice(before, before + STEP));
    await connect(users, before);
    stage.progress(`${before + users.length} of ${names.length} streams connected`);
  }
}
