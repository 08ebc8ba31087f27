import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";
import { peerUnavailable } from "../../../base/heddle-error.ts";

/**
 * What an edge does for native clients, within the client: each unary call goes to one of the programs of its service,
 * each stream to the push server that the permit names. `addresses` says host:port of those that serve a word now, `at`
 * where a client reaches such an address.
 */
export function routedTransport(
  addresses: (word: string) => readonly string[],
  at: (address: string) => string,
): Transport {
  const byAddress = new Map<string, Transport>();
  const to = (address: string) => {
    const transport = byAddress.get(address) ?? grpcTransport({ url: `http://${at(address)}` });
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
      const address = all[turn++ % all.length];
      if (address === undefined) return Promise.reject(peerUnavailable(word));
      return to(address).call(method, request, options);
    },
    open(options: StreamOptions): Stream {
      const address = new URL(options.permit.grpcUrl).host;
      const permit = { ...options.permit, grpcUrl: `http://${at(address)}` };
      return to(address).open({ ...options, permit });
    },
    close() {
      for (const transport of byAddress.values()) transport.close();
    },
  };
}
