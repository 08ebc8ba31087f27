import { connect, type Socket } from "node:net";
import { CONNECT_MS, type LinkCall, type LinkInit, MAX_ANSWER_BYTES, USER } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";
import { Fields, ReadFields } from "../wall/protobuf-fields.ts";
import { CELL_CODEC, type RowCell, readCellBlock } from "./cell-block.ts";

/** What a server answered to a call. */
export interface RpcAnswer {
  readonly message: ReadFields;
  /** All cells of the answer, in order; the message says how many belong to which result. */
  readonly cells: readonly RowCell[];
}

interface WaitingCall {
  readonly settle: (answer: RpcAnswer) => void;
  readonly fail: (error: HbaseError) => void;
}

/** The name that opens a connection, version 0, and "simple" authentication: by name. */
const PREAMBLE = Buffer.from([...Buffer.from("HBas"), 0, 80]);

/** After it call ids begin anew: 31 bits. */
const LAST_CALL_ID = 0x7fffffff;

const NO_BYTES = Buffer.alloc(0);

/**
 * HBase's RPC on one socket: calls go out as they come and answers come in any order. When the connection ends, every
 * call that waits is told. The caller bounds the wait: it forgets a call that is late.
 */
export class RpcConnection {
  readonly #socket: Socket;
  readonly #init: LinkInit;
  readonly #waiting = new Map<number, WaitingCall>();
  #lastCallId = 0;
  #isConnected = false;
  #isClosed = false;
  #isCorked = false;
  #chunks: Buffer[] = [];
  #partialBytes = 0;
  #neededBytes = 4;

  /** `service`: "ClientService" of a region server, "MasterService" of a master. */
  constructor(init: LinkInit, service: string) {
    this.#init = init;
    const socket = connect({ ...init.findRoute(init.address), noDelay: true, keepAlive: true });
    this.#socket = socket;
    const cancel = init.clock.after(CONNECT_MS, () => this.#end(new Error("no connection in time")));
    socket.on("connect", () => {
      cancel();
      this.#isConnected = true;
    });
    socket.on("data", (chunk) => this.#receive(chunk as Buffer));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => {
      cancel();
      this.#end();
    });
    this.#write(PREAMBLE, opening(service));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead;
  }

  get partialBytes(): number {
    return this.#partialBytes;
  }

  /** Sends a call. The server drops it unread where it has waited there for `leftMs`. */
  call<T>(method: string, request: Uint8Array, leftMs: number, read: (answer: RpcAnswer) => T): LinkCall<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const id = this.#nextCallId();
    if (this.#isClosed) reject(HbaseError.unreachable(this.#init.address, "connection has ended"));
    else {
      this.#waiting.set(id, { settle: (answer) => resolve(read(answer)), fail: reject });
      this.#write(callFrame(id, method, Math.max(1, Math.floor(leftMs)), request.length), request);
    }
    return { answer: promise, forget: () => this.#waiting.delete(id) };
  }

  close(): void {
    this.#end(new Error("closed by us"));
  }

  #nextCallId(): number {
    do this.#lastCallId = this.#lastCallId === LAST_CALL_ID ? 1 : this.#lastCallId + 1;
    while (this.#waiting.has(this.#lastCallId));
    return this.#lastCallId;
  }

  /** What is written in one turn goes out together. */
  #write(...parts: readonly Uint8Array[]): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    for (const part of parts) this.#socket.write(part);
  }

  #end(cause?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    const { address, onClosed } = this.#init;
    onClosed();
    const error = this.#isConnected
      ? HbaseError.closed(address, cause)
      : HbaseError.unreachable(address, cause ?? "connection ended");
    for (const call of this.#waiting.values()) call.fail(error);
    this.#waiting.clear();
    this.#chunks = [];
    this.#partialBytes = 0;
  }

  /** Gathers whole answers: a length in 4 bytes, then so many. */
  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#partialBytes += chunk.length;
    if (this.#partialBytes < this.#neededBytes) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#partialBytes);
    let at = 0;
    try {
      for (this.#neededBytes = 4; bytes.length - at >= 4; ) {
        const length = bytes.readUInt32BE(at);
        if (length > MAX_ANSWER_BYTES) throw new Error(`an answer of ${length} bytes`);
        this.#neededBytes = 4 + length;
        if (bytes.length - at < this.#neededBytes) break;
        this.#answer(bytes.subarray(at + 4, at + 4 + length));
        at += this.#neededBytes;
        this.#neededBytes = 4;
      }
    } catch (error) {
      this.#end(error as Error);
      return;
    }
    if (this.#isClosed) return;
    this.#partialBytes = bytes.length - at;
    this.#chunks = this.#partialBytes > 0 ? [bytes.subarray(at)] : [];
  }

  #answer(frame: Buffer): void {
    const header = delimited(frame, 0);
    const fields = new ReadFields(header.bytes);
    const id = fields.number(1) ?? 0;
    const call = this.#waiting.get(id);
    if (!call) return;
    this.#waiting.delete(id);
    const exception = fields.message(2);
    if (exception) {
      call.fail(exceptionOf(exception));
      return;
    }
    try {
      const message = header.end < frame.length ? delimited(frame, header.end) : EMPTY;
      const cellBytes = fields.message(3)?.number(1) ?? 0;
      if (message.end + cellBytes > frame.length) throw new RangeError("the cells are cut off");
      // In memory of their own: a cell that is kept would hold on to the socket's chunk.
      const block =
        cellBytes > 0 ? Buffer.from(new Uint8Array(frame.subarray(message.end)).buffer) : NO_BYTES;
      call.settle({ message: new ReadFields(message.bytes), cells: readCellBlock(block) });
    } catch (error) {
      call.fail(HbaseError.from(error));
      throw error;
    }
  }
}

const EMPTY = { bytes: NO_BYTES, end: 0 };

function exceptionOf(fields: ReadFields): HbaseError {
  return HbaseError.answered(fields.text(1) ?? "", fields.text(2) ?? "", fields.number(5) === 1);
}

/** Length (4) and header: who we are, what we call, and how cells come. */
function opening(service: string): Buffer {
  const header = new Fields()
    .message(1, (user) => user.text(1, USER))
    .text(2, service)
    .text(3, CELL_CODEC)
    .message(5, writeVersion)
    .finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header]);
}

/** That of the protocol that we speak: to older clients a server sends the cells of a read in another place. */
function writeVersion(fields: Fields): void {
  fields
    .text(1, "2.6")
    .text(2, "")
    .text(3, "")
    .text(4, USER)
    .text(5, "")
    .text(6, "")
    .number(7, 2)
    .number(8, 6);
}

/** Everything of a call but the request itself: length (4), header with its length, the request's length. */
function callFrame(id: number, method: string, timeoutMs: number, requestBytes: number): Uint8Array {
  const header = new Fields().number(1, id).text(3, method).number(4, true).number(7, timeoutMs).finish();
  const frame = Buffer.allocUnsafe(14 + header.length);
  let at = writeLength(frame, 4, header.length);
  frame.set(header, at);
  at = writeLength(frame, at + header.length, requestBytes);
  frame.writeUInt32BE(at - 4 + requestBytes);
  return frame.subarray(0, at);
}

function writeLength(target: Buffer, at: number, length: number): number {
  let to = at;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) target[to++] = (rest & 0x7f) | 0x80;
  target[to++] = rest;
  return to;
}

function delimited(frame: Buffer, from: number): { readonly bytes: Buffer; readonly end: number } {
  let length = 0;
  let at = from;
  for (let shift = 0; ; shift += 7) {
    const byte = frame.readUInt8(at++);
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
    if (shift > 21) throw new RangeError("a length of more than four bytes");
  }
  if (at + length > frame.length) throw new RangeError("an answer is cut off");
  return { bytes: frame.subarray(at, at + length), end: at + length };
}
