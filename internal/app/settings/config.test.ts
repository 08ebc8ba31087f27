import assert from "node:assert/strict";
import { resolve } from "node:path";
import { SettingsError } from "../../base/env.ts";
import { developmentConfig, readConfig } from "./config.ts";

const production = {
  HEDDLE_PROFILE: "production",
  HEDDLE_AUTH_ISSUER: "https://id.example",
  HEDDLE_AUTH_JWKS_URL: "https://id.example/jwks.json",
};

function problems(env: Record<string, string>): string[] {
  try {
    readConfig(env, false);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message.split("\n");
  }
  return [];
}

describe("The settings of heddle", () => {
  it("are the addresses and the folder that the contract names, if nothing is set", () => {
    const { config } = readConfig({}, false);
    assert.equal(config.profile, "development");
    assert.equal(config.grpcAddress.text, "127.0.0.1:8440");
    assert.equal(config.webAddress.text, "127.0.0.1:8480");
    assert.equal(config.adminAddress.text, "127.0.0.1:8490");
    assert.equal(config.dataDir, resolve("data"));
    assert.deepEqual(config.auth.audiences, ["heddle"]);
  });

  it("take only parameters of the database's URL that do something, and show no value of it", () => {
    const told = (query: string) =>
      problems({ HEDDLE_DATABASE_URL: `postgres://ann:s3cret@db/heddle?${query}` }).join("\n");
    assert.match(told("sslmod=verify-full"), /^HEDDLE_DATABASE_URL: .*sslmod .*did you mean sslmode\?$/);
    assert.match(told("sslmode=verify_full"), /^HEDDLE_DATABASE_URL: .*sslmode.*write one of .*verify-full$/);
    assert.match(told("keepalives=0"), /knows no parameter keepalives of the URL: use those of sslmode,/);
    assert.equal(told("sslmode=verify-full&sslrootcert=/ca.pem&application_name=a"), "");
    assert.deepEqual(problems({ HEDDLE_DATABASE_URL: "postgres://ann@/heddle?host=/run/postgresql" }), []);
    const cut = problems({ HEDDLE_DATABASE_URL: "postgres://ann:12?s3cret@db/heddle" }).join();
    assert.match(cut, /what is special in the password as %XX/);
    assert.ok(!cut.includes("s3cret"), cut);
  });

  it("keep the log quiet on a developer's terminal only", () => {
    assert.equal(readConfig({}, true).config.logLevel, "warn");
    assert.equal(readConfig({}, false).config.logLevel, "info");
    assert.equal(readConfig(production, true).config.logLevel, "info");
    assert.equal(readConfig({ HEDDLE_LOG_LEVEL: "trace" }, true).config.logLevel, "trace");
  });

  it("give tests free ports and their own folder", () => {
    const config = developmentConfig("/tmp/x", { drainMs: 5 });
    assert.equal(config.grpcAddress.port, 0);
    assert.equal(config.dataDir, "/tmp/x");
    assert.equal(config.drainMs, 5);
  });

  it("name what is wrong with each value", () => {
    const wrong = {
      HEDDLE_GRPC_ADDR: "8440",
      HEDDLE_WEB_ADDR: "127.0.0.1:99999",
      HEDDLE_DRAIN_MS: "soon",
      HEDDLE_PUSH_CAPACITY: "0",
      HEDDLE_LOG_LEVEL: "loud",
      HEDDLE_PROFILE: "staging",
      HEDDLE_GRPC_URL: "example.com",
    };
    const named = problems(wrong).map((line) => line.split(":")[0]);
    assert.deepEqual(named.sort(), Object.keys(wrong).sort());
  });

  it("stand beside those of the project's other programs", () => {
    assert.deepEqual(problems({ HEDDLE_CI_LIMITED: "1", HEDDLE_CACHE_DIR: "/tmp" }), []);
    assert.match(problems({ HEDDLE_PROFIL: "production" })[0] ?? "", /did you mean HEDDLE_PROFILE\?/);
  });
});

describe("The development profile", () => {
  for (const name of ["HEDDLE_GRPC_ADDR", "HEDDLE_WEB_ADDR", "HEDDLE_ADMIN_ADDR"]) {
    it(`refuses to let other machines in by ${name}`, () => {
      for (const address of [
        "0.0.0.0:1",
        "[::]:1",
        "192.168.1.4:1",
        "example.com:1",
        "127.0.0.1.example.com:1",
      ]) {
        assert.match(
          problems({ [name]: address })[0] ?? "",
          new RegExp(`^${name}: .*this machine only`),
          address,
        );
      }
      for (const address of ["127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:0"]) {
        assert.deepEqual(problems({ [name]: address }), [], address);
      }
    });
  }

  it("takes no identity provider: it would look protected and not be", () => {
    assert.equal(problems({ HEDDLE_AUTH_ISSUER: "https://id.example" }).length, 1);
    assert.equal(problems({ HEDDLE_AUTH_JWKS_URL: "https://id.example/jwks" }).length, 1);
  });
});

describe("The production profile", () => {
  it("starts with an identity provider, on any address", () => {
    const { config } = readConfig({ ...production, HEDDLE_GRPC_ADDR: "0.0.0.0:8440" }, false);
    assert.equal(config.auth.provider?.issuer, "https://id.example");
    assert.equal(config.auth.provider?.jwksUrl.href, "https://id.example/jwks.json");
  });

  it("refuses to start without one", () => {
    assert.equal(problems({ HEDDLE_PROFILE: "production" }).length, 2);
  });

  it("refuses to start with anything of development, even an empty value or an unknown name", () => {
    assert.match(problems({ ...production, HEDDLE_DEV_TOKEN_TTL_S: "5" })[0] ?? "", /HEDDLE_DEV_TOKEN_TTL_S/);
    assert.match(problems({ ...production, HEDDLE_DEV_TOKEN_TTL_S: "" })[0] ?? "", /HEDDLE_DEV_TOKEN_TTL_S/);
    assert.match(problems({ ...production, HEDDLE_DEV_ANYTHING: "" })[0] ?? "", /HEDDLE_DEV_ANYTHING/);
  });

  it("fetches keys over https, or from this machine", () => {
    const from = (url: string) => problems({ ...production, HEDDLE_AUTH_JWKS_URL: url });
    assert.match(from("http://id.example/jwks")[0] ?? "", /use https/);
    assert.deepEqual(from("http://127.0.0.1:9000/jwks"), []);
    assert.deepEqual(from("http://[::1]:9000/jwks"), []);
  });
});
