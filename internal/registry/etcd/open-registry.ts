import { Etcd3, type IOptions } from "etcd3";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { type PeerFiles, secureChannels } from "../../rpc/grpc/secure-channels.ts";
import { EtcdEndpoints } from "./etcd-endpoints.ts";
import { EtcdRegistry } from "./etcd-registry.ts";

export interface OpenRegistryInit {
  /** etcd's members: `http://127.0.0.1:2379,http://…`, comma-separated. */
  readonly url: string;
  /** For https members, which must show etcd's certificate. Read again when a connection fails. */
  readonly tls?: PeerFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reconnects quickly, notices a connection that is dead, and asks no member that has lost its leader. */
const CHANNEL = {
  "grpc.enable_retries": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.keepalive_time_ms": 10_000, // etcd takes more than one in 5 s for an attack.
  "grpc.keepalive_timeout_ms": 5_000,
  callInvocationTransformer: (call: { readonly metadata: { set(key: string, value: string): void } }) => {
    call.metadata.set("hasleader", "true");
    return call;
  },
};

/**
 * Calls what it is given, once: how often and which to ask is decided in EtcdEndpoints. Async, since the package lets what
 * it throws end the process otherwise, whenever a stream breaks.
 */
const once = { execute: async (call: () => unknown) => call() } as unknown as NonNullable<
  NonNullable<IOptions["faultHandling"]>["global"]
>;

/**
 * The registry on etcd's members; connects when it is first asked. Throws if the URL is none, or a file cannot be used.
 * The package closes its channels when a call fails, and makes others.
 */
export function openRegistry({ url, tls, clock, log }: OpenRegistryInit): EtcdRegistry {
  const members = url.split(",").map((part) => {
    const hosts = part.trim();
    const { host, hostname } = new URL(hosts);
    const named = hostname.replace(/^\[|\]$/g, "");
    // Not every etcd that teams run speaks TLS 1.3: 3.5.1 does not.
    const secure = tls && { channelFactoryOverride: secureChannels("etcd", named, tls, "TLSv1.2") };
    const grpcOptions = { ...CHANNEL, ...secure };
    return {
      address: host,
      etcd: new Etcd3({ hosts, grpcOptions, faultHandling: { host: () => once, global: once } }),
    };
  });
  return new EtcdRegistry(new EtcdEndpoints(members, clock, log), clock);
}
