import type { Server as NetServer } from "node:net";
import { createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from "node:tls";
import { servicesOf } from "../peer-identity.ts";

/** PEM texts by which a program is known, and knows others. */
export interface TlsTexts {
  /** This program's certificate, with those between it and the authority, if there are any. */
  readonly certificate: string;
  readonly key: string;
  /** Who signs certificates of the mesh; several while it changes. */
  readonly ca: string;
}

/** Older versions have nothing that a program of the mesh needs. */
export const TLS_VERSION = { minVersion: "TLSv1.3" } as const;

/**
 * The certificates of a program, as of now. A connection has those of the moment in which it was made; a change counts for
 * the next ones.
 */
export class PeerTls {
  readonly #callbacks = new Set<() => void>();
  #texts: TlsTexts;
  #context: SecureContext;

  /** Throws node:tls's error for what is no certificate, or where the key is another's. */
  constructor(texts: TlsTexts) {
    this.#texts = texts;
    this.#context = contextOf(texts);
  }

  get texts(): TlsTexts {
    return this.#texts;
  }

  /** For the next connection that is dialled. */
  get context(): SecureContext {
    return this.#context;
  }

  /** Throws as the constructor does, and keeps what it had. */
  replace(texts: TlsTexts): void {
    this.#context = contextOf(texts);
    this.#texts = texts;
    for (const callback of [...this.#callbacks]) callback();
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
}

/** What a secure context is made of, as node:tls and node:http2 take it. */
export function contextOptions({ certificate, key, ca }: TlsTexts) {
  return { cert: certificate, key, ca, ...TLS_VERSION };
}

function contextOf(texts: TlsTexts): SecureContext {
  return createSecureContext(contextOptions(texts));
}

/** The service that a certificate is for. Undefined where it names none, or several. */
export function serviceOf(certificate: Pick<PeerCertificate, "subjectaltname">): string | undefined {
  const services = servicesOf(certificate);
  return services.length === 1 ? services[0] : undefined;
}

/** Who may connect to a listener. */
export interface Admission {
  readonly tls: PeerTls;
  /** Services whose certificates are let in. */
  readonly services: readonly string[];
  /** Told of each connection that was refused: which service it says that it is, if it says. */
  readonly refused: (service: string | undefined) => void;
}

/**
 * Lets in those that the admission names, and ends other connections before a byte of theirs is read. A peer with no
 * certificate of the mesh's authority is refused by TLS itself. To be called before the server listens.
 */
export function admit(server: NetServer, { services, refused }: Admission): void {
  server.prependListener("secureConnection", (socket: TLSSocket) => {
    const service = serviceOf(socket.getPeerCertificate());
    if (service !== undefined && services.includes(service)) return;
    refused(service);
    socket.destroy();
  });
  server.on("tlsClientError", () => refused(undefined));
}
