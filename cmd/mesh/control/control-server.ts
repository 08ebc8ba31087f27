import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { EngineError } from "../../../internal/engines/engine.ts";
import type { Answer, Asked } from "./messages.ts";

/** Answers one command until the promise settles. `say` is for each line; it does nothing once the asker has gone. */
export type OnAsked = (asked: Asked["do"], say: (answer: Answer) => void) => Promise<void>;

/** Linux takes no longer path of a socket. */
const LONGEST_PATH = 107;

/**
 * Listens for commands on a Unix socket that this user alone may dial. Who calls it holds the mesh's lock, so what lies
 * there is left from one that is gone. Rejects with EngineError where the path is too long.
 */
export async function serveControl(path: string, onAsked: OnAsked): Promise<Server> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new EngineError(
      `${path} is longer than a socket's path may be (${LONGEST_PATH} bytes): set HEDDLE_MESH_DIR to a shorter folder`,
    );
  }
  await rm(path, { force: true });
  const server = createServer((socket) => answer(socket, onAsked));
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
  return server;
}

function answer(socket: Socket, onAsked: OnAsked): void {
  socket.on("error", () => {}); // Who asked has gone.
  const say = (line: Answer) => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  createInterface(socket).once("line", async (line) => {
    const asked = askedIn(line);
    if (asked) await onAsked(asked, say);
    socket.end();
  });
}

function askedIn(line: string): Asked["do"] | undefined {
  try {
    const asked = (JSON.parse(line) as Partial<Asked> | null)?.do;
    return asked === "follow" || asked === "status" || asked === "stop" ? asked : undefined;
  } catch {
    return undefined;
  }
}
