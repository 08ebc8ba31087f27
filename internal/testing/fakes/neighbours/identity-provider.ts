import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** Algorithms that providers sign with. */
export type ProviderAlgorithm = "RS256" | "ES256";

/** A key that signs, and its public half as it is published. */
interface ProviderKey {
  readonly kid: string;
  readonly alg: ProviderAlgorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** What stands in a token besides, or instead of, what is usual. A claim that is undefined is left out. */
export interface TokenShape {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  /** Which key signs; the newest by default. */
  readonly kid?: string;
}

/** An OpenID Connect provider as far as Heddle sees one: it signs user tokens and serves the keys that check them. */
export class IdentityProvider {
  readonly issuer = "https://id.example/";
  /** What `/jwks.json` answers; the public keys unless a test puts something else here. */
  document: unknown;
  /** How often the keys were fetched. */
  fetches = 0;
  readonly #server: Server;
  readonly #keys: ProviderKey[] = [];

  private constructor() {
    this.#server = createServer((_, response) => {
      this.fetches++;
      const document = this.document ?? { keys: this.publicKeys };
      response.end(typeof document === "string" ? document : JSON.stringify(document));
    });
  }

  /** Serves on a free port, with one key. */
  static async start(alg: ProviderAlgorithm = "ES256"): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    await provider.addKey(alg);
    await new Promise<void>((resolve) => provider.#server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  /** Where the keys are served. */
  get jwksUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  /** The oldest first. */
  get publicKeys(): readonly JWK[] {
    return this.#keys.map(({ publicJwk }) => publicJwk);
  }

  /** What makes the program trust this provider. */
  get env(): Record<string, string> {
    return {
      HEDDLE_PROFILE: "production",
      HEDDLE_AUTH_ISSUER: this.issuer,
      HEDDLE_AUTH_JWKS_URL: this.jwksUrl,
    };
  }

  /** Begins to sign with a new key; the old ones stay published until `dropKey`. Resolves to its kid. */
  async addKey(alg: ProviderAlgorithm): Promise<string> {
    const kid = `${alg}-${this.#keys.length + 1}`;
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    this.#keys.push({ kid, alg, privateKey, publicJwk });
    return kid;
  }

  /** A token for `sub`, good for an hour unless its shape says otherwise. */
  async sign(sub: unknown, { claims = {}, header = {}, kid }: TokenShape = {}): Promise<string> {
    const key = kid === undefined ? this.#keys.at(-1) : this.#keys.find((one) => one.kid === kid);
    if (!key) throw new Error(`no key ${kid}`);
    const exp = Math.floor(Date.now() / 1000) + 3600;
    return await new SignJWT({ iss: this.issuer, aud: "heddle", sub, exp, ...claims } as never)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  /** Keys cannot be fetched any more. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
