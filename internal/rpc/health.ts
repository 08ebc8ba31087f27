import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import {
  HealthCheckResponseSchema,
  Health as HealthDesc,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../gen/grpc/health/v1/health_pb.js";
import type { ByteStream } from "./calls/byte-stream.ts";
import { bind, type Caller, type ServiceBinding } from "./calls/handlers.ts";

/** Streams of Watch that one listener serves at a time: they need no credential. */
const MAX_WATCHERS = 1_000;

const ANYONE: Caller = {
  userId: "",
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  userTokenExpiresAtMs: Number.MAX_SAFE_INTEGER,
};

/** grpc.health.v1 for every service of a program, and for the program as the service "". Open to anyone. */
export class Health {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watchers = new Map<ByteStream, string>();

  constructor(serviceNames: readonly string[]) {
    for (const name of ["", ...serviceNames]) this.#statuses.set(name, ServingStatus.NOT_SERVING);
  }

  /** Says of all services at once whether they serve, and tells the watchers. */
  set(serving: boolean): void {
    const status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    for (const name of this.#statuses.keys()) this.#statuses.set(name, status);
    for (const [stream, name] of this.#watchers) this.#tell(stream, name);
  }

  /** Ends the streams of Watch, which would otherwise hold up a drain. */
  endWatches(): void {
    for (const stream of this.#watchers.keys()) stream.end();
  }

  /** The service, for a listener. */
  get binding(): ServiceBinding {
    return bind(HealthDesc, async () => ANYONE, {
      check: async ({ service }) => {
        const status = this.#statuses.get(service);
        if (status === undefined) {
          throw new HeddleError(Code.NOT_FOUND, ErrorReason.UNSPECIFIED, "no such service here");
        }
        return { status };
      },
      list: async () => ({
        statuses: Object.fromEntries([...this.#statuses].map(([name, status]) => [name, { status }])),
      }),
      watch: ({ service }, stream) => this.#watch(service, stream),
    });
  }

  #watch(service: string, stream: ByteStream): void {
    if (this.#watchers.size >= MAX_WATCHERS) {
      stream.end(
        new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "too many watch streams", {
          metadata: { queue: "health" },
        }),
      );
      return;
    }
    this.#watchers.set(stream, service);
    stream.onClose(() => this.#watchers.delete(stream));
    this.#tell(stream, service);
  }

  #tell(stream: ByteStream, service: string): void {
    const status = this.#statuses.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
    stream.write(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status })));
  }
}
