import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority, SERVICES, type Service } from "../../../engines/certificates/authority.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** The certificates of a test's mesh, in files, made anew as often as the test likes. */
export class MeshCertificates {
  readonly #folder: string;
  readonly #authority: Authority;

  private constructor(folder: string, authority: Authority) {
    this.#folder = folder;
    this.#authority = authority;
  }

  static async make(folder: string): Promise<MeshCertificates> {
    await mkdir(folder);
    const made = new MeshCertificates(folder, await Authority.make(Date.now()));
    await writeFile(join(folder, "ca.pem"), made.#authority.certificate);
    await made.renew();
    return made;
  }

  of(service: Service): CertificateFiles {
    const path = (what: string) => join(this.#folder, `${service}-${what}.pem`);
    return { certificate: path("certificate"), key: path("key"), ca: join(this.#folder, "ca.pem") };
  }

  /** A new certificate with a new key for every service, in the same files. */
  async renew(): Promise<void> {
    for (const service of SERVICES) {
      const { certificate, key } = await this.#authority.issue(service, Date.now());
      const files = this.of(service);
      await writeFile(files.key, key);
      await writeFile(files.certificate, certificate);
    }
  }
}
