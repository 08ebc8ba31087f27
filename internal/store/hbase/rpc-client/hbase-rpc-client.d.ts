/** What we use of hbase-rpc-client 0.1.15, which has no types of its own. */
declare module "hbase-rpc-client/lib/connection.js" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  namespace Connection {
    /** Bytes of its protobuf library: a view. */
    interface ByteBuffer {
      toBuffer(): Buffer;
    }

    interface PackageCell {
      readonly row: ByteBuffer;
      readonly family: ByteBuffer;
      readonly qualifier: ByteBuffer;
      /** A number of 64 bits. */
      readonly timestamp: { toNumber(): number };
      readonly value: ByteBuffer | null;
    }

    interface PackageResult {
      readonly cell: readonly PackageCell[];
    }

    /** What a server answers instead. */
    interface PackageError {
      readonly exceptionClassName: string;
      readonly stackTrace: string | null;
      readonly doNotRetry: boolean | null;
    }

    /** Requests are as the package's proto files have them, in camel case. */
    interface Rpc {
      Get(request: object, done: (error: unknown, answer: { result: PackageResult | null }) => void): void;
      Mutate(request: object, done: (error: unknown, answer: { processed: boolean | null }) => void): void;
      Scan(
        request: object,
        done: (error: unknown, answer: { results: readonly PackageResult[] }) => void,
      ): void;
    }
  }

  /** One connection. Tells "connect" and "close", the latter more than once. */
  class Connection extends EventEmitter {
    constructor(options: {
      readonly host: string;
      readonly port: number;
      /** Of a timer of its own for each call, in ms. */
      readonly callTimeout: number;
      readonly tcpNoDelay: boolean;
      readonly tcpKeepAlive: boolean;
      readonly effectiveUser: string;
    });
    readonly socket: Socket;
    /** What reads the socket, and what it has not read yet. */
    readonly in: {
      readonly processData: (chunk: Buffer) => void;
      readonly buffer: Buffer;
      /** Of the answer that is coming. */
      readonly awaitBytes: number;
    };
    /** Calls that wait, by number. */
    readonly calls: Record<number, { complete(error: unknown): void }>;
    /** What the next call gets. */
    readonly callId: number;
    /** From "connect" on. */
    readonly rpc: Connection.Rpc;
  }
  export default Connection;
}
