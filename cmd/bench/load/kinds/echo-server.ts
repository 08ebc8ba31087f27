import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { ECHO } from "./echo-path.ts";

const identity = (bytes: Buffer) => bytes;

/** What gRPC itself costs here: a bare grpc-js server that sends every message back and does nothing else. */
export class EchoServer {
  /** Resolves to its URL. */
  async start(): Promise<string> {
    const server = new Server({ "grpc.enable_channelz": 0 });
    const definition = {
      Echo: {
        path: ECHO,
        requestStream: true,
        responseStream: true,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    };
    server.addService(definition, {
      Echo(call: ServerDuplexStream<Buffer, Buffer>) {
        // At once, as the push server does: a client waits for headers before it takes a stream as open.
        call.sendMetadata(new Metadata());
        call.on("data", (bytes: Buffer) => call.write(bytes));
        call.on("end", () => call.end());
        call.on("error", () => {}); // The client has gone.
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    return `http://127.0.0.1:${port}`;
  }

  /** User plus system time of this process, in seconds. */
  usage(): { readonly cpuSeconds: number } {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6 };
  }
}
