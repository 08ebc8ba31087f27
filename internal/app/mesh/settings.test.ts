import assert from "node:assert/strict";
import { SettingsError } from "../../base/env.ts";
import { channelProgram } from "./programs/channel.ts";
import { gatewayProgram } from "./programs/gateway.ts";
import { messageProgram } from "./programs/message.ts";
import { presenceProgram } from "./programs/presence.ts";
import { pushProgram } from "./programs/push.ts";
import { threadProgram } from "./programs/thread.ts";
import { addressesOf, readProgramSettings, tlsPathsOf } from "./settings.ts";

type Env = Record<string, string>;

const registry = { HEDDLE_REGISTRY_URL: "http://127.0.0.1:2379" };
const auth = { HEDDLE_AUTH_ISSUER: "heddle-dev", HEDDLE_AUTH_JWKS_URL: "http://127.0.0.1:1/jwks" };
const tls = { HEDDLE_TLS_CERT: "/c.pem", HEDDLE_TLS_KEY: "/k.pem", HEDDLE_TLS_CA: "/ca.pem" };
const tickets = { HEDDLE_TICKET_KEYS_FILE: "/tickets.json" };

/** What a mesh of one machine gives each of its programs. */
const PROGRAMS = [
  { kind: gatewayProgram, env: { ...registry, ...tickets, HEDDLE_DEV_KEY_FILE: "/dev.json" } },
  { kind: pushProgram, env: { ...registry, ...tickets } },
  { kind: messageProgram, env: { ...registry, ...auth } },
  { kind: channelProgram, env: registry },
  { kind: presenceProgram, env: { ...registry, ...auth } },
  { kind: threadProgram, env: { ...registry, ...auth } },
];

function problems(service: string, changes: Env = {}): string[] {
  const found = PROGRAMS.find(({ kind }) => kind.service === service);
  assert.ok(found);
  const { kind, env } = found;
  try {
    readProgramSettings(kind.settings, { ...env, ...changes }, kind.signsItself === true);
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.message.split("\n");
  }
}

describe("The settings of programs of the mesh", () => {
  for (const { kind } of PROGRAMS) {
    it(`are few for ${kind.service} on one machine, and know each other's names`, () => {
      assert.deepEqual(problems(kind.service), []);
      assert.deepEqual(problems(kind.service, tls), []);
      assert.match(problems(kind.service, { HEDDLE_NAM: "a" })[0] ?? "", /did you mean HEDDLE_NAME\?/);
      assert.match(
        problems(kind.service, { HEDDLE_REGISTRY_URL: "" })[0] ?? "",
        /^HEDDLE_REGISTRY_URL: name etcd's/,
      );
    });
  }

  it("are each read by the programs that have a use for it", () => {
    assert.match(
      problems("channel", { HEDDLE_WEB_ADDR: "127.0.0.1:1" })[0] ?? "",
      /there is no such setting/,
    );
    assert.match(
      problems("push", { HEDDLE_DATABASE_URL: "postgres://a@b/c" })[0] ?? "",
      /there is no such setting/,
    );
    assert.match(problems("thread", tickets)[0] ?? "", /there is no such setting/);
  });

  it("demand certificates where others may come in, all three of them", () => {
    const production = { HEDDLE_PROFILE: "production" };
    const open = { ...production, HEDDLE_LINK_ADDR: "10.0.0.1:8441" };
    assert.match(
      problems("channel", open)[0] ?? "",
      /^HEDDLE_LINK_ADDR: other machines reach it: set HEDDLE_TLS_CERT/,
    );
    assert.deepEqual(problems("channel", { ...open, ...tls }), []);
    const { HEDDLE_TLS_CA: _, ...two } = tls;
    assert.match(problems("channel", two)[0] ?? "", /^HEDDLE_TLS_CA: set all three/);
    const away = { ...production, HEDDLE_REGISTRY_URL: "http://etcd:2379" };
    assert.match(problems("channel", away)[0] ?? "", /^HEDDLE_REGISTRY_URL: .*plain http.*use https/);
  });

  it("demand a host to dial where a listener is everywhere", () => {
    const anywhere = { HEDDLE_PROFILE: "production", HEDDLE_LINK_ADDR: "0.0.0.0:8441", ...tls };
    assert.match(
      problems("channel", anywhere)[0] ?? "",
      /^HEDDLE_ADVERTISE_HOST: HEDDLE_LINK_ADDR listen everywhere/,
    );
    assert.deepEqual(problems("channel", { ...anywhere, HEDDLE_ADVERTISE_HOST: "10.1.2.3" }), []);
  });

  it("keep the development profile on this machine, and let the gateway alone sign", () => {
    assert.match(problems("push", { ...tls, HEDDLE_GRPC_ADDR: "10.0.0.1:1" })[0] ?? "", /this machine only/);
    assert.match(
      problems("gateway", { HEDDLE_DEV_KEY_FILE: "" })[0] ?? "",
      /^HEDDLE_DEV_KEY_FILE: .*needs it/,
    );
    assert.match(problems("gateway", auth)[0] ?? "", /^HEDDLE_AUTH_ISSUER: .*signs user tokens itself/);
    assert.match(
      problems("message", { HEDDLE_AUTH_ISSUER: "" })[0] ?? "",
      /^HEDDLE_AUTH_ISSUER: .*to check user tokens/,
    );
    const production = { HEDDLE_PROFILE: "production", ...auth };
    assert.match(
      problems("gateway", production)[0] ?? "",
      /^HEDDLE_DEV_KEY_FILE: is for the development profile/,
    );
  });

  it("say where a program listens, and what it is known by", () => {
    const read = (env: Env) => readProgramSettings(channelProgram.settings, env, false);
    const { link, grpc, web, admin } = addressesOf(read(registry));
    assert.deepEqual(
      [link?.text, grpc, web, admin.text],
      ["127.0.0.1:0", undefined, undefined, "127.0.0.1:0"],
    );
    assert.equal(tlsPathsOf(read(registry)), undefined);
    assert.deepEqual(tlsPathsOf(read({ ...registry, ...tls })), {
      certificate: "/c.pem",
      key: "/k.pem",
      ca: "/ca.pem",
    });
  });
});
