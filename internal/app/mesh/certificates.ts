import { X509Certificate } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { Counter, Gauge, type Metrics } from "../../base/metrics.ts";
import { type Admission, PeerTls, type TlsTexts } from "../../rpc/tls/peer-tls.ts";
import type { StopStack } from "../stop-stack.ts";
import type { TlsPaths } from "./settings.ts";
import { WatchedFiles } from "./watched-files.ts";

/** Names of refused callers that the log tells once each. */
const MAX_NAMED = 20;

export interface CertificatesInit {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly stack: StopStack;
}

/** The certificates of a program: read again when their files change, and who was refused for lack of the right one. */
export class Certificates {
  readonly tls: PeerTls;
  readonly #log: Logger;
  readonly #refusals: Counter<"listener">;
  readonly #told = new Set<string>();

  /** Throws SettingsError where the files cannot be used. */
  constructor(paths: TlsPaths, { clock, log, metrics, stack }: CertificatesInit) {
    this.#log = log;
    const files = new WatchedFiles<TlsTexts>({
      paths: {
        HEDDLE_TLS_CERT: paths.certificate,
        HEDDLE_TLS_KEY: paths.key,
        HEDDLE_TLS_CA: paths.ca,
      },
      clock,
      parse: ([certificate = "", key = "", ca = ""]) => {
        const texts = { certificate, key, ca };
        new PeerTls(texts); // Throws while the key is not yet the certificate's.
        return texts;
      },
      changed: (texts) => {
        this.tls.replace(texts);
        trust(texts);
        log.info({ until: endOf(texts) }, "certificates were read again: they count for new connections");
      },
      failed: ({ message }) =>
        log.error({ why: message }, "certificates cannot be read: those from before go on to count"),
    });
    this.tls = new PeerTls(files.value);
    trust(files.value);
    stack.add("certificates", () => files.close());
    this.#refusals = new Counter({
      name: "heddle_rpc_refused_connections_total",
      help: "Connections that were refused for lack of the right certificate. Rising: a program has an old one, or somebody tries.",
      labelNames: ["listener"],
      registers: [metrics],
    });
    const { tls } = this;
    new Gauge({
      name: "heddle_rpc_certificate_ends_seconds",
      help: "Seconds until this program's certificate ends. Near 0: nobody renews it, and connections will be refused.",
      registers: [metrics],
      collect() {
        this.set((endOf(tls.texts).getTime() - clock.nowMs()) / 1_000);
      },
    });
  }

  /** Lets services in at a listener, and tells of others. */
  admission(listener: "link" | "grpc" | "web", services: readonly string[]): Admission {
    return {
      tls: this.tls,
      services,
      refused: (service) => {
        this.#refusals.inc({ listener });
        const said = `${listener} ${service ?? ""}`;
        if (this.#told.has(said) || this.#told.size >= MAX_NAMED) return;
        this.#told.add(said);
        this.#log.warn(
          { listener, service, expected: services },
          "a connection was refused: its certificate",
        );
      },
    };
  }
}

/** The keys of user tokens may come from the edge, whose certificate the mesh's authority has signed as well. */
function trust({ ca }: TlsTexts): void {
  setDefaultCACertificates([...getCACertificates("bundled"), ...getCACertificates("extra"), ca]);
}

function endOf({ certificate }: TlsTexts): Date {
  return new X509Certificate(certificate).validToDate;
}
