import assert from "node:assert/strict";
import { createHmac, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";
import { systemClock } from "../../base/clock.ts";
import { Code, HeddleError } from "../../base/heddle-error.ts";
import { ODD_VALUES } from "../../testing/contract/wrong-types.ts";
import { IdentityProvider } from "../../testing/fakes/neighbours/identity-provider.ts";
import { authenticateUsers, localKeys, remoteKeys } from "./user-tokens.ts";

const issuer = "https://id.example";
const hour = () => Math.floor(Date.now() / 1000) + 3600;

interface Shape {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: CryptoKey | KeyObject;
}

describe("User tokens", () => {
  let keys: CryptoKeyPair;
  let strangers: CryptoKeyPair;
  let jwk: JWK;
  let authenticate: (authorization: string | undefined) => Promise<string>;
  let provider: IdentityProvider;

  before(async () => {
    provider = await IdentityProvider.start();
    keys = (await generateKeyPair("ES256", { extractable: true })) as CryptoKeyPair;
    strangers = (await generateKeyPair("ES256")) as CryptoKeyPair;
    jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "ES256" };
    const check = authenticateUsers({ issuer, audiences: ["heddle"], keys: localKeys([jwk]) }, systemClock);
    authenticate = async (authorization) => (await check(authorization, false)).userId;
  });

  after(() => provider.close());

  /** A good token, but for what is changed; a claim set to undefined is left out. */
  async function token({ header = {}, claims = {}, key }: Shape = {}): Promise<string> {
    const all = { iss: issuer, aud: "heddle", sub: "ann", exp: hour(), ...claims };
    return await new SignJWT(all)
      .setProtectedHeader({ alg: "ES256", kid: "k1", ...header })
      .sign((key ?? keys.privateKey) as CryptoKey);
  }

  const unsigned = (header: object, claims: object, sign: (input: string) => string) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${sign(input)}`;
  };
  const claims = () => ({ iss: issuer, aud: "heddle", sub: "ann", exp: hour() });

  it("name the caller and when the token ends", async () => {
    const exp = hour();
    const check = authenticateUsers({ issuer, audiences: ["heddle"], keys: localKeys([jwk]) }, systemClock);
    const caller = await check(`Bearer ${await token({ claims: { exp } })}`, false);
    assert.deepEqual(caller, { userId: "ann", expiresAtMs: exp * 1000, userTokenExpiresAtMs: exp * 1000 });
  });

  it("are demanded", async () => {
    for (const header of [undefined, "", "Bearer", "Basic YTpi", "bearer a b"]) {
      await refused(authenticate(header), "TOKEN_MISSING");
    }
  });

  const wrong: [string, () => Promise<string>, string][] = [
    ["another issuer", () => token({ claims: { iss: "https://evil.example" } }), "iss"],
    ["no issuer", () => token({ claims: { iss: undefined } }), "iss"],
    ["another audience", () => token({ claims: { aud: "other" } }), "aud"],
    ["no expiry", () => token({ claims: { exp: undefined } }), "exp"],
    ["no subject", () => token({ claims: { sub: undefined } }), "sub"],
    ["a subject that is no user_id", () => token({ claims: { sub: "Ann Smith" } }), "sub"],
    ["a subject of 256 characters", () => token({ claims: { sub: "a".repeat(256) } }), "sub"],
    ["no key id", () => token({ header: { kid: undefined } }), "kid"],
    ["an unknown key id", () => token({ header: { kid: "k2" } }), "kid"],
    ["another's signature", () => token({ key: strangers.privateKey }), "signature"],
    ["alg none", async () => unsigned({ alg: "none", kid: "k1" }, claims(), () => ""), "alg"],
    [
      "the public key as an HMAC secret",
      async () => {
        const secret = await exportSPKI(keys.publicKey);
        const hmac = (input: string) => createHmac("sha256", secret).update(input).digest("base64url");
        return unsigned({ alg: "HS256", kid: "k1" }, claims(), hmac);
      },
      "alg",
    ],
    ["no JSON inside", async () => "AAAA.BBBB.CCCC", "format"],
    ["far too many bytes", async () => `${"a".repeat(9000)}.b.c`, "size"],
    ["an issue in the future", () => token({ claims: { iat: hour() } }), "iat"],
  ];
  for (const [name, make, claim] of wrong) {
    it(`with ${name} are refused`, async () => {
      const error = await refused(authenticate(`Bearer ${await make()}`), "TOKEN_INVALID");
      assert.equal(error.metadata.claim, claim);
      if (claim === "size") assert.match(error.message, /9004 bytes, at most 8192/);
    });
  }

  it("signed by an algorithm that is not on the list are refused, though the key is the provider's", async () => {
    const other = (await generateKeyPair("ES512")) as CryptoKeyPair;
    const known = { ...(await exportJWK(other.publicKey)), kid: "k512", alg: "ES512" };
    const provider = { issuer, audiences: ["heddle"], keys: localKeys([jwk, known]) };
    const signed = await token({ header: { alg: "ES512", kid: "k512" }, key: other.privateKey });
    const check = authenticateUsers(provider, systemClock)(`Bearer ${signed}`, false);
    assert.equal((await refused(check, "TOKEN_INVALID")).metadata.claim, "alg");
  });

  it("that have expired are refused as such", async () => {
    const exp = Math.floor(Date.now() / 1000) - 1;
    await refused(authenticate(`Bearer ${await token({ claims: { exp } })}`), "TOKEN_EXPIRED");
  });

  it("are remembered until they expire, and not longer", async () => {
    let nowMs = Date.now();
    const clock = { ...systemClock, nowMs: () => nowMs };
    const check = authenticateUsers({ issuer, audiences: ["heddle"], keys: localKeys([jwk]) }, clock);
    const bearer = `Bearer ${await token({ claims: { exp: Math.floor(nowMs / 1000) + 60 } })}`;
    await check(bearer, false);
    nowMs += 59_000;
    await check(bearer, false);
    nowMs += 1_000;
    await refused(check(bearer, false), "TOKEN_EXPIRED");
  });

  it("are checked by keys fetched from the identity provider, once for many", async () => {
    let fetches = 0;
    const server = createServer((_, response) => {
      fetches++;
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
    const check = authenticateUsers({ issuer, audiences: ["heddle"], keys: remoteKeys(url) }, systemClock);
    const tokens = [
      await token(),
      await token({ claims: { sub: "bob" } }),
      await token({ claims: { sub: "eve" } }),
    ];
    const users = await Promise.all(tokens.map(async (one) => (await check(`Bearer ${one}`, false)).userId));
    server.close();
    server.closeAllConnections();
    assert.deepEqual(users, ["ann", "bob", "eve"]);
    assert.equal(fetches, 1);
  });

  it("are judged, or cannot be, whatever stands where the keys should be", async () => {
    const good = provider.publicKeys[0] ?? assert.fail();
    const documents = ODD_VALUES.flatMap(([name, value]) => [
      [`${name} as the document`, JSON.stringify(value) ?? ""],
      [`${name} as the keys`, { keys: value }],
      [`${name} as a key`, { keys: [value] }],
      ...Object.keys(good).map((field) => [`${name} as ${field}`, { keys: [{ ...good, [field]: value }] }]),
    ]);
    documents.push(["no end of keys", `{"keys":[${" ".repeat(2 << 20)}]}`], ["no JSON", "<html>"]);
    const bearer = `Bearer ${await provider.sign("ann")}`;
    for (const [name, document] of documents) {
      provider.document = document;
      const keys = remoteKeys(new URL(provider.jwksUrl));
      const check = authenticateUsers({ issuer: provider.issuer, audiences: ["heddle"], keys }, systemClock);
      const told = await check(bearer, false).then(
        () => "let in",
        (error: HeddleError) => `${error.reasonName} ${Object.values(error.metadata)}`,
      );
      const clear = ["let in", "STORE_UNAVAILABLE jwks", "TOKEN_INVALID kid", "TOKEN_INVALID signature"];
      assert.ok(clear.includes(told), `${name}: ${told}`);
    }
  });

  it("are checked by a key that the provider begins to sign with, and by a withdrawn one no more", async () => {
    const rotating = await IdentityProvider.start("RS256");
    const keys = remoteKeys(new URL(rotating.jwksUrl), 0);
    const check = authenticateUsers({ issuer: rotating.issuer, audiences: ["heddle"], keys }, systemClock);
    const userOf = async (kid: string, sub: string) =>
      (await check(`Bearer ${await rotating.sign(sub, { kid })}`, false)).userId;
    assert.equal(await userOf("RS256-1", "ann"), "ann");
    const next = await rotating.addKey("ES256");
    assert.equal(await userOf(next, "bob"), "bob");
    assert.equal(rotating.fetches, 2);
    assert.equal(await userOf("RS256-1", "cleo"), "cleo");
    rotating.document = { keys: rotating.publicKeys.slice(1) };
    await refused(
      check(`Bearer ${await rotating.sign("dan", { header: { kid: "new" } })}`, false),
      "TOKEN_INVALID",
    );
    await refused(userOf("RS256-1", "eve"), "TOKEN_INVALID");
    await rotating.close();
  });

  it("cannot be judged while a key that is not known may be a new one, and sign nobody out", async () => {
    const rotating = await IdentityProvider.start("RS256");
    const keys = remoteKeys(new URL(rotating.jwksUrl));
    const check = authenticateUsers({ issuer: rotating.issuer, audiences: ["heddle"], keys }, systemClock);
    await check(`Bearer ${await rotating.sign("ann", { kid: "RS256-1" })}`, false);
    const next = await rotating.addKey("ES256");
    const bearer = `Bearer ${await rotating.sign("bob", { kid: next })}`;
    await rotating.close();
    const error = await refused(check(bearer, false), "STORE_UNAVAILABLE", Code.UNAVAILABLE);
    assert.equal(error.metadata.store, "jwks");
  });

  it("cannot be judged while the identity provider is away, which is not the user's fault", async () => {
    const url = new URL("http://127.0.0.1:9/jwks");
    const check = authenticateUsers({ issuer, audiences: ["heddle"], keys: remoteKeys(url) }, systemClock);
    const error = await refused(
      check(`Bearer ${await token()}`, false),
      "STORE_UNAVAILABLE",
      Code.UNAVAILABLE,
    );
    assert.equal(error.metadata.store, "jwks");
  });
});

async function refused(
  call: Promise<unknown>,
  reason: string,
  code = Code.UNAUTHENTICATED,
): Promise<HeddleError> {
  const error = await call.then(
    () => assert.fail("it was let in"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeddleError, String(error));
  assert.equal(error.reasonName, reason);
  assert.equal(error.code, code);
  return error;
}
