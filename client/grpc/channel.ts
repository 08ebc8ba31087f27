import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { type ChannelCredentials, type ClientOptions, credentials } from "@grpc/grpc-js";

/** How grpc-js dials a URL. */
export interface Channel {
  /** `host:port`, with the scheme's own port where the URL names none. */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

/**
 * What an address is called towards the server, which has to be a name; servers that have one certificate do not look. It
 * is not what the certificate is held against.
 */
const UNNAMED = "localhost";

/**
 * `http://host:port`, or `https://…`, whose server must have a certificate for that host, name or address, by the
 * authority in `ca` (PEM), or a public one. grpc-js alone gives an address to TLS as the server's name, which Node refuses.
 */
export function channelTo(url: string, ca?: Uint8Array): Channel {
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === "https:";
  const address = `${hostname}:${port || (isSecure ? 443 : 80)}`;
  if (!isSecure) return { address, credentials: credentials.createInsecure(), options: {} };
  const roots = ca ? Buffer.from(ca) : null;
  const ip = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(ip) === 0) return { address, credentials: credentials.createSsl(roots), options: {} };
  const verify = {
    checkServerIdentity: (_: string, found: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(ip, found),
  };
  return {
    address,
    credentials: credentials.createSsl(roots, null, null, verify),
    options: { "grpc.ssl_target_name_override": UNNAMED },
  };
}
