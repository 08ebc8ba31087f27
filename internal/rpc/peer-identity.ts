import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** What a certificate of the mesh says of its program, as a URI among its other names. */
const PREFIX = "spiffe://heddle/";

/** The services that a certificate names, of the mesh's own; none for one that was not made for a program of ours. */
export function servicesOf({
  subjectaltname = "",
}: Pick<PeerCertificate, "subjectaltname">): readonly string[] {
  if (subjectaltname.includes('"')) return []; // A name with a comma in it, which would read as several.
  const names = subjectaltname.split(", ").map((name) => name.replace(/^URI:/, ""));
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

/**
 * Whether a server is the one that was dialled, beyond what TLS itself checks: it has the name of the host, and no program
 * of the mesh may stand there for another service. A server that is not ours, such as a team's own etcd, has no such name.
 */
export function serverCheck(
  service: string,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) => {
    const services = servicesOf(certificate);
    if (services.length === 0 || services.includes(service)) return checkServerIdentity(host, certificate);
    return new Error(`${host} shows the certificate of ${services.join(", ")}, not of ${service}`);
  };
}
