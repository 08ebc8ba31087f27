import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { contextOptions, type PeerTls, serviceOf, TLS_VERSION } from "../tls/peer-tls.ts";

/** A gRPC listener's certificates, as of now: a change counts for connections that come after it. */
export class PeerServerCredentials extends ServerCredentials {
  readonly #tls: PeerTls;
  #stop = () => {};

  constructor(tls: PeerTls) {
    super({ requestCert: true, rejectUnauthorized: true, ...TLS_VERSION }, contextOptions(tls.texts));
    this.#tls = tls;
  }

  override _addWatcher(...[watcher]: Parameters<ServerCredentials["_addWatcher"]>): void {
    super._addWatcher(watcher);
    this.#stop();
    this.#stop = this.#tls.onChange(() => this.updateSecureContextOptions(contextOptions(this.#tls.texts)));
  }

  override _removeWatcher(...[watcher]: Parameters<ServerCredentials["_removeWatcher"]>): void {
    super._removeWatcher(watcher);
    if (this.getWatcherCount() === 0) this.#stop();
  }

  _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

/**
 * With the certificates of now, for one dial to a service: what answers there must have a certificate for it, whatever
 * the address is.
 */
export function dialCredentials(tls: PeerTls, service: string): ChannelCredentials {
  return ChannelCredentials.createFromSecureContext(tls.context, {
    checkServerIdentity: (_host, certificate) => {
      const at = serviceOf(certificate);
      return at === service ? undefined : new Error(`who answers is ${at ?? "no service"}, not ${service}`);
    },
  });
}
