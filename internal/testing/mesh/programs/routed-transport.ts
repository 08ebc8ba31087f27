import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";

/**
 * What an edge does for native clients, within the client: each unary call goes to one of the programs of its service,
 * each stream to the push server that the permit names. `addresses` says host:port of those that serve a word now.
 */
export function routedTransport(addresses: (word: string) => readonly string[]): Transport {
  const byAddress = new Map<string, Transport>();
  const to = (address: string) => {
    const transport = byAddress.get(address) ?? grpcTransport({ url: `http://${address}` });
    byAddress.set(address, transport);
    return transport;
  };
  let turn = 0;
  return {
    call<I extends DescMessage, O extends DescMessage>(
      method: UnaryMethod<I, O>,
      request: MessageInitShape<I>,
      options: CallOptions,
    ): Promise<MessageShape<O>> {
      const word = method.parent.typeName.split(".")[1] ?? "";
      const all = addresses(word === "profile" ? "thread" : word);
      return to(all[turn++ % all.length] ?? "127.0.0.1:1").call(method, request, options);
    },
    open: (options: StreamOptions): Stream => to(new URL(options.permit.grpcUrl).host).open(options),
    close() {
      for (const transport of byAddress.values()) transport.close();
    },
  };
}
