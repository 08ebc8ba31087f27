import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DescMethodUnary, MessageInitShape, MessageShape, toBinary } from "@bufbuild/protobuf";
import { importJWK, SignJWT } from "jose";
import { grpcTransport } from "../../../client/grpc/transport.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import { newUuid } from "../../base/ids.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import type { Refused } from "../../gen/heddle/push/v1/frame_pb.js";
import { type Addresses, devTokens } from "../trials/programs/heddle-process.ts";
import { RawStream } from "./raw-stream.ts";

/** What a client was told: an error of a call or stream, or a `refused`. */
export type Told = HeddleError | Refused | undefined;

/** A running program, with users that bad input is tried as. */
export class Target {
  readonly addresses: Addresses;
  readonly dataDir: string;
  /** User tokens of ann, bob and eve. */
  readonly tokens: Record<string, string>;
  readonly #transport;

  private constructor(addresses: Addresses, dataDir: string, tokens: Record<string, string>) {
    this.addresses = addresses;
    this.dataDir = dataDir;
    this.tokens = tokens;
    this.#transport = grpcTransport({ url: addresses.grpcUrl });
  }

  /** Of a program that runs already; `close` leaves it so. */
  static async open(addresses: Addresses, dataDir: string): Promise<Target> {
    return new Target(addresses, dataDir, await devTokens(addresses.webUrl, ["ann", "bob", "eve"]));
  }

  /** Ends the calls' connection. */
  close(): void {
    this.#transport.close();
  }

  /** A unary call that works. */
  call<I extends Parameters<typeof toBinary>[0], O extends Parameters<typeof toBinary>[0]>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    token: string = this.tokens.ann ?? "",
  ): Promise<MessageShape<O>> {
    return this.#transport.call(method, request, { token, timeoutMs: 15_000, signal: undefined });
  }

  /** What a unary call is told that should not work. */
  async told<I extends Parameters<typeof toBinary>[0], O extends Parameters<typeof toBinary>[0]>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    token?: string,
  ): Promise<Told> {
    return this.call(method, request, token).then(
      () => undefined,
      (error) => error as HeddleError,
    );
  }

  /** A fresh ticket for a stream. */
  async ticket(user = "ann", deviceId = "phone", token = this.tokens[user]): Promise<string> {
    return (await this.call(GatewayService.method.openSession, { deviceId }, token)).ticket;
  }

  /** A Connect stream that was opened properly. */
  async session(user = "ann"): Promise<RawStream> {
    const stream = new RawStream(this.addresses.grpcUrl, await this.ticket(user));
    stream.open("phone");
    await stream.next("caughtUp");
    return stream;
  }

  /** How a fresh stream ends after what `speak` does to it. */
  async ends(speak: (stream: RawStream) => void | Promise<void>, opened = true): Promise<Told> {
    const stream = opened ? await this.session() : new RawStream(this.addresses.grpcUrl, await this.ticket());
    await speak(stream);
    return stream.ended();
  }

  /** What a send on a stream is refused with. */
  async refused(send: Record<string, unknown>): Promise<Told> {
    const stream = await this.session();
    stream.say({ case: "send", value: { ...goodSend(), ...send } as never });
    const refused = await stream.next("refused");
    stream.close();
    return refused;
  }

  /** A JWT with claims of one's choice, signed with the key of the development profile. */
  async sign(claims: { aud: string; exp: number }): Promise<string> {
    const jwk = JSON.parse(await readFile(join(this.dataDir, "keys/dev-user.json"), "utf8"));
    const token = new SignJWT({ sub: "ann" })
      .setIssuer("heddle-dev")
      .setAudience(claims.aud)
      .setExpirationTime(claims.exp);
    const kid = (await this.publicKeys()).at(-1)?.kid ?? "";
    return token.setProtectedHeader({ alg: "ES256", kid }).sign(await importJWK(jwk, "ES256"));
  }

  /** The keys that check user tokens, the oldest first. */
  async publicKeys(): Promise<{ kid: string }[]> {
    const response = await fetch(`${this.addresses.webUrl}/.well-known/jwks.json`);
    return ((await response.json()) as { keys: { kid: string }[] }).keys;
  }
}

/** A send that would work. */
export function goodSend() {
  return {
    target: { case: "toUserId" as const, value: "bob" },
    clientId: newUuid(Date.now()),
    baseSeq: 0n,
    logEpoch: 0n,
    attempt: 1,
    body: text("hi"),
  };
}

/** A body that says this. */
export const text = (value: string) => ({ kind: { case: "text" as const, value: { text: value } } });
