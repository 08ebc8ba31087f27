import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { grpcTransport } from "../../../client/grpc/transport.ts";
import type { HeddleError, Transport } from "../../../client/index.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { ProfileService } from "../../gen/heddle/profile/v1/profile_service_pb.js";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { IdentityProvider } from "../fakes/neighbours/identity-provider.ts";
import { HeddleProcess } from "../trials/programs/heddle-process.ts";

/** Where pictures may be; anything else is dropped. */
const HOSTS = { HEDDLE_PICTURE_HOSTS: "p.example,*.pics.example" };
const ID = new Uint8Array(16).fill(7);

describe("Profiles", function () {
  this.timeout(60_000);
  let provider: IdentityProvider;
  let dataDir: string;
  let heddle: HeddleProcess;
  let transport: Transport;

  before(async () => {
    provider = await IdentityProvider.start();
  });
  after(() => provider.close());
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "heddle-profiles-"));
    await start({});
  });
  afterEach(async () => {
    await stop();
    await rm(dataDir, { recursive: true });
  });

  async function start(env: Record<string, string>): Promise<void> {
    heddle = await HeddleProcess.start(dataDir, { env: { ...provider.env, ...HOSTS, ...env } });
    transport = grpcTransport({ url: heddle.addresses.grpcUrl });
  }

  async function stop(): Promise<void> {
    transport.close();
    await heddle.stop();
  }

  async function call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    userId = "ann",
    claims: Record<string, unknown> = {},
  ): Promise<MessageShape<O>> {
    const token = await provider.sign(userId, { claims });
    return await transport.call(method, request, { token, timeoutMs: 10_000, signal: undefined });
  }

  /** Signs in with these claims: a profile is taken from the token here and nowhere else. */
  const open = (userId: string, claims: Record<string, unknown>) =>
    call(GatewayService.method.openSession, { deviceId: "phone" }, userId, claims);
  /** What anybody is shown of these users. */
  const shown = async (...userIds: string[]) =>
    (await call(ProfileService.method.getProfiles, { userIds })).profiles.map(
      ({ userId, displayName, pictureUrl }) => [userId, displayName, pictureUrl],
    );
  /** Asks for a name and picture of one's own. */
  const set = (displayName: string, pictureUrl = "", userId = "ann") =>
    call(ProfileService.method.setProfile, { displayName, pictureUrl, requestId: ID }, userId);
  /** Why a call was refused, and of which field. */
  const refusal = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => assert.fail("it was done"),
      (thrown: HeddleError) => thrown,
    );
    return `${error.reasonName} ${error.metadata.field ?? ""}`.trim();
  };

  it("are what tokens say, for anybody who knows the id, and empty for one who is unknown", async () => {
    await open("auth0|1", { name: "Ann O\u2019Neil", picture: "https://p.example/a.png" });
    await open("bob", { name: " Bob\nLee\u202e ", picture: "https://cdn.pics.example/b.png" });
    assert.deepEqual(await shown("bob", "nobody", "auth0|1"), [
      ["bob", "Bob Lee", "https://cdn.pics.example/b.png"],
      ["nobody", "", ""],
      ["auth0|1", "Ann O\u2019Neil", "https://p.example/a.png"],
    ]);
    await open("bob", { name: "Robert" });
    assert.deepEqual(await shown("bob"), [["bob", "Robert", "https://cdn.pics.example/b.png"]]);
  });

  it("show no picture from elsewhere, and nothing that is no name", async () => {
    for (const picture of [
      "http://p.example/a",
      "https://evil.example/a",
      "javascript:1",
      5,
      "https://p.example:8/a",
    ]) {
      await open("ann", { picture });
      assert.deepEqual(await shown("ann"), [["ann", "", ""]], String(picture));
    }
    await open("ann", { picture: `https://p.example/${"a".repeat(2_031)}` });
    assert.deepEqual(await shown("ann"), [["ann", "", ""]]);
    await open("ann", { name: "x".repeat(300) });
    assert.deepEqual(await shown("ann"), [["ann", "x".repeat(100), ""]]);
    await open("ann", { name: ["Ann"] });
    assert.deepEqual(await shown("ann"), [["ann", "x".repeat(100), ""]]);
  });

  it("change without a new version of any row", async () => {
    await call(ThreadService.method.createDirectThread, { userId: "ann", requestId: ID }, "bob");
    await open("ann", { name: "Ann" });
    const { cursor } = await call(ThreadService.method.sync, {}, "bob");
    await open("ann", { name: "Anna" });
    assert.deepEqual(await shown("ann"), [["ann", "Anna", ""]]);
    const { threads } = await call(ThreadService.method.sync, { cursor }, "bob");
    const again = await call(ThreadService.method.sync, { cursor }, "bob");
    assert.deepEqual(again.threads, threads);
  });

  it("are set by users where that is allowed, and then count more than tokens", async () => {
    assert.equal(await refusal(set("Annie")), "PROFILE_IS_GIVEN");
    await stop();
    await start({ HEDDLE_SET_PROFILE: "allowed" });
    await open("ann", { name: "Ann" });
    const { profile } = await set("Annie", "https://p.example/own.png");
    assert.equal(profile?.displayName, "Annie");
    await open("ann", { name: "Ann" });
    assert.deepEqual(await shown("ann"), [["ann", "Annie", "https://p.example/own.png"]]);
    assert.equal(await refusal(set("two\nlines")), "INVALID_FIELD display_name");
    assert.equal(await refusal(set("\u200b")), "INVALID_FIELD display_name");
    assert.equal(await refusal(set("Annie", "https://evil.example/x")), "INVALID_FIELD picture_url");
    await set("");
    await open("ann", { name: "Ann" });
    assert.deepEqual(await shown("ann"), [["ann", "Ann", ""]]);
  });

  it("come from other claims, and outlive a restart", async () => {
    await open("ann", { name: "Ann" });
    await stop();
    await start({ HEDDLE_AUTH_NAME_CLAIM: "nickname", HEDDLE_AUTH_PICTURE_CLAIM: "photo" });
    assert.deepEqual(await shown("ann"), [["ann", "Ann", ""]]);
    await open("ann", { name: "Ann", nickname: "annie", photo: "https://p.example/n" });
    assert.deepEqual(await shown("ann"), [["ann", "annie", "https://p.example/n"]]);
    const page = await fetch(heddle.addresses.webUrl);
    assert.match(
      page.headers.get("content-security-policy") ?? "",
      /img-src 'self' https:\/\/p\.example https:\/\/\*\.pics\.example;/,
    );
  });

  it("are read of a hundred at a time", async () => {
    const users = Array.from({ length: 101 }, (_, at) => `u${at}`.padEnd(255, "~"));
    assert.equal((await shown(...users.slice(1))).length, 100);
    assert.equal(await refusal(shown(...users)), "INVALID_FIELD user_ids");
  });
});
