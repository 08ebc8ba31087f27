import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext, type PeerCertificate } from "node:tls";
import { Channel, type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { serverCheck } from "../peer-identity.ts";

/** Paths of PEM files: what we show, and whose certificates we take. */
export interface PeerFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Makes a channel, in place of what grpc-js makes by itself (`channelFactoryOverride`). */
export type ChannelFactory = (address: string, given: ChannelCredentials, options: ChannelOptions) => Channel;

/**
 * Channels to a server of a service by mutual TLS, of 1.3 unless an older one is named. The files are read again for each channel, so a caller that makes a new one
 * when a connection fails goes on after they were replaced. Throws, now and then, if they cannot be read or do not fit.
 */
export function secureChannels(
  service: string,
  host: string,
  files: PeerFiles,
  minVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
): ChannelFactory {
  const check = serverCheck(service);
  const checkServerIdentity = (_asked: string, certificate: PeerCertificate) => check(host, certificate);
  // Node sends no address as a server's name, and grpc-js sends what it dials.
  const named = isIP(host) > 0 ? { "grpc.ssl_target_name_override": service } : {};
  let read: readonly string[] = [];
  let kept: ChannelCredentials;
  const current = () => {
    const texts = [files.cert, files.key, files.ca].map((path) => readFileSync(path, "utf8"));
    if (texts.every((text, index) => text === read[index])) return kept; // By the same object channels share connections.
    const [cert, key, ca] = texts;
    const context = createSecureContext({ cert, key, ca, minVersion });
    kept = credentials.createFromSecureContext(context, { checkServerIdentity });
    read = texts;
    return kept;
  };
  current();
  return (address, _given, options) => new Channel(address, current(), { ...options, ...named });
}
