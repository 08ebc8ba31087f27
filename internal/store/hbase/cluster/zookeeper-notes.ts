import { connect } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import type { ServerAddress } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";
import { ReadFields } from "../wall/protobuf-fields.ts";
import type { Quorum } from "./quorum.ts";

/** How long one ZooKeeper server may take, in ms; after it the next is asked. */
const SERVER_MS = 2_000;

/** How long ZooKeeper keeps our session if we are gone before we end it, in ms. */
const SESSION_MS = 5_000;

/** ZooKeeper's numbers for what we ask. */
const GET_DATA = 4;
const CLOSE_SESSION = -11;
const NO_NODE = -101;

/** An answer of more bytes is none. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Before the message in a note of HBase. */
const MAGIC = Buffer.from("PBUF");

/** Which server HBase's notes name. */
export type NotedServer = "meta-region-server" | "master";

/**
 * Asks ZooKeeper where HBase's meta region, or its master, is. A connection for each question and no session that is kept:
 * it is asked at the start and when a server has died, and then the newest answer is wanted. Rejects with HbaseError.
 */
export async function readNote(quorum: Quorum, note: NotedServer, clock: Clock): Promise<ServerAddress> {
  const path = `${quorum.root}/${note}`;
  const problems: string[] = [];
  for (const { host, port } of quorum.servers) {
    try {
      const data = await readNode({ host, port, path, clock });
      if (data) return noted(data);
      throw new HbaseError("retry", "nobody", `ZooKeeper has no ${path}: HBase is starting, or not running`);
    } catch (error) {
      if (error instanceof HbaseError) throw error;
      problems.push(`${host}:${port} ${(error as Error).message}`);
    }
  }
  throw new HbaseError("relocate", "unreachable", `ZooKeeper at ${problems.join(", ")}`);
}

interface Question {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly clock: Clock;
}

/** The bytes of a node; undefined where there is none. Rejects with Error. */
function readNode({ host, port, path, clock }: Question): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const end = (settle: () => void) => {
      cancel();
      settle();
      socket.destroy();
    };
    const cancel = clock.after(SERVER_MS, () => end(() => reject(new Error("does not answer"))));
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("close", () => end(() => reject(new Error("closed the connection"))));
    socket.write(sessionRequest());
    let received = Buffer.alloc(0);
    let isOpen = false;
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk as Buffer]);
      try {
        for (let frame = cutFrame(received); frame; frame = cutFrame(received)) {
          received = received.subarray(4 + frame.length);
          if (isOpen) {
            const data = nodeData(frame);
            socket.end(closeRequest());
            return end(() => resolve(data));
          }
          isOpen = true;
          socket.write(dataRequest(path));
        }
      } catch (error) {
        end(() => reject(error));
      }
    });
  });
}

function cutFrame(received: Buffer): Buffer | undefined {
  if (received.length < 4) return undefined;
  const length = received.readUInt32BE(0);
  if (length > MAX_ANSWER_BYTES) throw new Error("is no ZooKeeper");
  return received.length < 4 + length ? undefined : received.subarray(4, 4 + length);
}

/** Length, then protocol 0, last seen 0, the session's time, session 0, a password of 16 zeros. */
function sessionRequest(): Buffer {
  const request = Buffer.alloc(48);
  request.writeInt32BE(44, 0);
  request.writeInt32BE(SESSION_MS, 16);
  request.writeInt32BE(16, 28);
  return request;
}

/** Length, number of the question, kind, path, and that we do not watch it. */
function dataRequest(path: string): Buffer {
  const name = Buffer.from(path);
  const request = Buffer.alloc(17 + name.length);
  request.writeInt32BE(13 + name.length, 0);
  request.writeInt32BE(1, 4);
  request.writeInt32BE(GET_DATA, 8);
  request.writeInt32BE(name.length, 12);
  request.set(name, 16);
  return request;
}

function closeRequest(): Buffer {
  const request = Buffer.alloc(12);
  request.writeInt32BE(8, 0);
  request.writeInt32BE(2, 4);
  request.writeInt32BE(CLOSE_SESSION, 8);
  return request;
}

/** Number of the question (4), transaction (8), error (4), then the data with its length. */
function nodeData(frame: Buffer): Buffer | undefined {
  const error = frame.readInt32BE(12);
  if (error === NO_NODE) return undefined;
  if (error !== 0) throw new Error(`answers with error ${error}`);
  return frame.subarray(20, 20 + frame.readInt32BE(16));
}

/** A byte 255, a name with its length, the magic word, and a message whose first field is the server. */
function noted(data: Buffer): ServerAddress {
  const from = data.indexOf(MAGIC);
  const server = from < 0 ? undefined : new ReadFields(data.subarray(from + MAGIC.length)).message(1);
  const host = server?.text(1);
  if (!host)
    throw new HbaseError("refused", "unreadable", "ZooKeeper's note of HBase is not as HBase 2 writes it");
  return `${host}:${server?.number(2) ?? 0}`;
}
