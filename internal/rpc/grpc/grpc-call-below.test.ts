import assert from "node:assert/strict";
import {
  Client,
  type ClientOptions,
  compressionAlgorithms,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { callBelow, http2StreamOf } from "./grpc-call-below.ts";

const plain = (bytes: Buffer) => bytes;
const PATH = "/test.v1.Test/Connect";

describe("What stands below a call of grpc-js", () => {
  let server: Server;
  let address: string;
  let called: (stream: ServerDuplexStream<Buffer, Buffer>) => void;
  beforeEach(async () => {
    server = new Server();
    const codec = { requestSerialize: plain, requestDeserialize: plain };
    const method = { ...codec, responseSerialize: plain, responseDeserialize: plain };
    server.addService(
      { connect: { path: PATH, requestStream: true, responseStream: true, ...method } },
      { connect: (stream: ServerDuplexStream<Buffer, Buffer>) => called(stream) },
    );
    address = await new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  });
  afterEach(() => server.forceShutdown());

  async function opened(options: ClientOptions): Promise<ServerDuplexStream<Buffer, Buffer>> {
    const client = new Client(address, credentials.createInsecure(), options);
    const stream = await new Promise<ServerDuplexStream<Buffer, Buffer>>((resolve) => {
      called = resolve;
      client.makeBidiStreamRequest(PATH, plain, plain).on("error", () => {});
    });
    client.close();
    return stream;
  }

  it("is found: this grpc-js is made as we know it", async () => {
    const stream = await opened({});
    assert.ok(http2StreamOf(stream));
    assert.ok(callBelow(stream));
  });

  it("is left alone where messages may be compressed", async () => {
    const stream = await opened({ "grpc.default_compression_algorithm": compressionAlgorithms.gzip });
    assert.ok(http2StreamOf(stream));
    assert.equal(callBelow(stream), undefined);
  });

  it("is not there below anything else", () => {
    for (const other of [{}, { call: {} }, { call: { stream: {} } }]) {
      assert.equal(http2StreamOf(other), undefined);
      assert.equal(callBelow(other), undefined);
    }
  });
});
