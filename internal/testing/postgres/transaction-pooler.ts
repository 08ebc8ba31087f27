import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { PostgresServer } from "./postgres-server.ts";

/** A message of the protocol: its kind, and all of it. */
interface Message {
  readonly kind: string;
  readonly bytes: Buffer;
}

/** Protocol 3.0. */
const PROTOCOL = 196_608;
/** "Authentication is well", "version 15", and "ready". */
const WELCOME = Buffer.concat([
  message("R", Buffer.from([0, 0, 0, 0])),
  message("S", Buffer.from("server_version\x0015\x00")),
  message("Z", Buffer.from("I")),
]);

/**
 * A pooler by transaction that knows nothing of prepared statements, as PgBouncer was before 1.21: each transaction gets
 * whichever connection to the server is free.
 */
export async function transactionPooler({ database }: PostgresServer, user: string, name: string) {
  const sockets = new Set<Socket>();
  const free: Socket[] = [];
  const open = async (): Promise<Socket> => {
    const server = createConnection(join(database.host, `.s.PGSQL.${database.port}`));
    sockets.add(server);
    await once(server, "connect");
    const parameters = Buffer.from(`user\0${user}\0database\0${name}\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + parameters.length);
    head.writeInt32BE(PROTOCOL, 4);
    server.write(Buffer.concat([head, parameters]));
    const isReady = messages();
    await new Promise<void>((resolve) => {
      const take = (data: Buffer) => {
        if (!isReady(data).some(({ kind }) => kind === "Z")) return;
        server.off("data", take);
        resolve();
      };
      server.on("data", take);
    });
    return server;
  };

  const listener = createServer((client) => {
    sockets.add(client);
    let isGreeted = false;
    let linked: Socket | undefined;
    let owed = 0;
    let turn = Promise.resolve();
    const fromClient = messages();
    const link = async (): Promise<Socket> => {
      const server = free.pop() ?? (await open());
      const fromServer = messages();
      const pass = (data: Buffer) => {
        for (const { kind, bytes } of fromServer(data)) {
          client.write(bytes);
          if (kind !== "Z") continue;
          owed -= 1;
          if (owed > 0 || bytes.at(-1) !== "I".charCodeAt(0)) continue;
          server.off("data", pass);
          free.push(server);
          linked = undefined;
        }
      };
      server.on("data", pass);
      return server;
    };
    const take = async (data: Buffer) => {
      if (!isGreeted) {
        isGreeted = true;
        client.write(WELCOME);
        return;
      }
      for (const { kind, bytes } of fromClient(data)) {
        if (kind === "X") return;
        if (kind === "Q" || kind === "S") owed += 1;
        linked ??= await link();
        linked.write(bytes);
      }
    };
    client.on("error", () => {});
    client.on("data", (data: Buffer) => {
      turn = turn.then(() => take(data));
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    url: `postgres://${user}@127.0.0.1:${(listener.address() as AddressInfo).port}/${name}`,
    close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** Cuts what comes into messages; the rest waits for more. */
function messages(): (data: Buffer) => readonly Message[] {
  let rest = Buffer.alloc(0);
  return (data) => {
    const found: Message[] = [];
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1);
      found.push({ kind: rest.toString("latin1", 0, 1), bytes: rest.subarray(0, end) });
      rest = rest.subarray(end);
    }
    return found;
  };
}
