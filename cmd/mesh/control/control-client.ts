import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import type { Answer, Asked } from "./messages.ts";

/**
 * Asks the supervisor of a mesh, and gives its answers as they come; they end when it has said all, or is gone. Undefined
 * if there is none that answers.
 */
export async function askSupervisor(
  path: string,
  asked: Asked["do"],
): Promise<AsyncIterable<Answer> | undefined> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
  } catch {
    return undefined; // No file, or nobody behind it any more.
  }
  socket.write(`${JSON.stringify({ do: asked })}\n`);
  return answersOf(socket);
}

async function* answersOf(socket: ReturnType<typeof createConnection>): AsyncGenerator<Answer> {
  socket.on("error", () => {}); // The lines end then.
  try {
    for await (const line of createInterface(socket)) yield JSON.parse(line) as Answer;
  } finally {
    socket.destroy();
  }
}
