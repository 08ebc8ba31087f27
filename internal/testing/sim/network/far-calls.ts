import { HeddleError } from "../../../base/heddle-error.ts";
import { peerUnavailable } from "../../../rpc/links/peer-errors.ts";
import type { Engine } from "../time/engine.ts";
import type { Host, Network } from "./network.ts";

/** How long a call is waited for, in ms. */
const CALL_MS = 10_000;

export interface FarCallsInit<T> {
  readonly engine: Engine;
  readonly network: Network;
  readonly from: Host;
  /** In one word: for errors. */
  readonly service: string;
  /** Which process is asked this, by its address; undefined: nobody can be. */
  readonly address: (method: string, values: readonly unknown[]) => string | undefined;
  /** What nobody waits for. */
  readonly notices?: readonly string[];
  /** What is there. */
  readonly target: (host: Host) => T;
}

/**
 * An object of another process whose calls no link carries yet: each takes its way there and back. What is lost on the
 * way, or not answered in time, is PEER_UNAVAILABLE.
 */
export function farCalls<T extends object>(init: FarCallsInit<T>): T {
  const call = (method: string, values: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const { engine, network, from, service, target } = init;
      const fail = (ms: number) => engine.after(ms, from.life, () => reject(peerUnavailable(service)));
      const address = init.address(method, values);
      const host = address === undefined ? undefined : network.reach(from.name, address);
      if (!host) {
        fail(1);
        return;
      }
      const cancel = fail(CALL_MS);
      const [there, back] = [network.oneWay(from.name, host.name), network.oneWay(from.name, host.name)];
      const answer = (settle: () => void) => {
        back.carry(from.life, () => {
          cancel();
          settle();
        });
      };
      there.carry(host.life, () => {
        const object = target(host);
        const run = async () => Reflect.apply(Reflect.get(object, method) as () => unknown, object, values);
        run().then(
          (said) => answer(() => resolve(said)),
          (error) =>
            answer(() => reject(error instanceof HeddleError ? error : peerUnavailable(service, error))),
        );
      });
    });
  return new Proxy({} as T, {
    get: (_target, method) => {
      if (typeof method !== "string" || method === "then") return undefined;
      if (!init.notices?.includes(method)) return (...values: unknown[]) => call(method, values);
      return (...values: unknown[]) => void call(method, values).catch(() => {});
    },
  });
}
