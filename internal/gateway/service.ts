import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  deviceRevoked,
  ErrorReason,
  HeddleError,
  overloaded,
  storeUnavailable,
} from "../base/heddle-error.ts";
import { isOfDevice, isOnPushServer, newSessionId } from "../base/session-id.ts";
import type {
  GatewayService as GatewayDesc,
  OpenSessionRequest,
  OpenSessionResponseSchema,
  RenewTicketRequest,
  RenewTicketResponseSchema,
} from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import type { Call, Caller, Handlers } from "../rpc/calls/handlers.ts";
import type { AddressLimit } from "./address-limit.ts";
import { Allotment, noSession } from "./allotment.ts";
import type { Devices, Profiles, PushServers, Streams, Tickets } from "./ports.ts";

/** How long a user whose devices all have a stream should wait, in ms: until one of them ends. */
const DEVICES_RETRY_MS = 60_000;

export interface GatewayPorts {
  readonly devices: Devices;
  readonly streams: Streams;
  readonly registry: PushServers;
  readonly tickets: Tickets;
  /** Without them nothing is kept of what tokens say. */
  readonly profiles?: Profiles;
  /** Without it an address may open as many sessions as it likes. */
  readonly addresses?: AddressLimit;
  /** In [0, 1): which two push servers are looked at. Math.random without it. */
  readonly random?: () => number;
}

/** The gateway: keeps nothing that matters, so any instance answers any call. */
export class GatewayService {
  readonly #ports: GatewayPorts;
  readonly #allotment: Allotment;

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
    this.#allotment = new Allotment(ports.random);
  }

  /** The RPCs of heddle.gateway.v1.GatewayService. Callers come with user tokens. */
  get handlers(): Handlers<typeof GatewayDesc> {
    return {
      openSession: (request, call) => this.#openSession(request, call),
      renewTicket: (request, call) => this.#renewTicket(request, call),
    };
  }

  async #openSession(
    { deviceId, unansweredSessionId }: OpenSessionRequest,
    { caller, source = "" }: Call,
  ): Promise<MessageInitShape<typeof OpenSessionResponseSchema>> {
    const { registry, tickets, addresses } = this.#ports;
    addresses?.spend(source);
    const { userId, userTokenExpiresAtMs } = caller;
    const servers = (registry.pushServers() ?? []).filter(({ isLeaving }) => !isLeaving);
    // One that stands still is registered until its lease runs out.
    const server = this.#allotment.allot(servers, ({ name }) => isOnPushServer(unansweredSessionId, name));
    const state = await this.#openDevice(userId, deviceId);
    if (state === "revoked") throw deviceRevoked();
    if (state === "full") throw overloaded("devices", DEVICES_RETRY_MS);
    await this.#noteProfile(caller);
    const sessionId = newSessionId(server.name, userId, deviceId);
    const grant = { userId, deviceId, sessionId, pushServer: server.name, userTokenExpiresAtMs };
    const { ticket, expiresAtMs } = await tickets.sign(grant);
    return { ticket, grpcUrl: server.grpcUrl, webUrl: server.webUrl, expiresAtMs: BigInt(expiresAtMs) };
  }

  /** Nobody is kept out because of a name: what could not be kept is said again with the next session. */
  async #noteProfile({ userId, ...said }: Caller): Promise<void> {
    await this.#ports.profiles?.note(userId, said).catch(() => {});
  }

  /**
   * While the store cannot write (a full disk) a device that it knows may come all the same: its owner can read then,
   * and what is missed is only the time of this opening.
   */
  async #openDevice(userId: string, deviceId: string): Promise<"open" | "revoked" | "full"> {
    const { devices, streams } = this.#ports;
    try {
      const state = await devices.openDevice(userId, deviceId);
      if (state !== "full") return state;
      return await devices.openDevice(userId, deviceId, await streams.devicesOf(userId));
    } catch (error) {
      if (!(error instanceof HeddleError) || error.reason !== ErrorReason.STORE_UNAVAILABLE) throw error;
      const own = await devices.listDevices(userId);
      if (!own.some((device) => device.deviceId === deviceId)) throw error;
      return "open";
    }
  }

  /** A session that ended looks like one that lives: the push server then answers NO_SESSION to what needs it. */
  async #renewTicket(
    { sessionId }: RenewTicketRequest,
    { caller }: Call,
  ): Promise<MessageInitShape<typeof RenewTicketResponseSchema>> {
    const { devices, registry, tickets } = this.#ports;
    const { userId, userTokenExpiresAtMs } = caller;
    const servers = registry.pushServers();
    if (!servers) throw storeUnavailable("registry"); // Or every session would end while nothing is known.
    const server = servers.find(({ name }) => isOnPushServer(sessionId, name));
    if (!server) throw noSession();
    const own = await devices.listDevices(userId);
    const device = own.find(({ deviceId }) => isOfDevice(sessionId, userId, deviceId));
    if (!device) throw noSession();
    const { deviceId } = device;
    const grant = { userId, deviceId, sessionId, pushServer: server.name, userTokenExpiresAtMs };
    const { ticket, expiresAtMs } = await tickets.sign(grant);
    return { ticket, expiresAtMs: BigInt(expiresAtMs) };
  }
}
