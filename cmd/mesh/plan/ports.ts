import { EngineError } from "../../../internal/engines/engine.ts";
import { freePort, isFree } from "../../../internal/engines/ports.ts";

/** Ports of 127.0.0.1 by what listens there, such as `push-1/grpc`. */
export type Ports = Readonly<Record<string, number>>;

/**
 * A port for each name: the wanted one, or else the one of last time if it is still free, or else a free one. So who
 * knows an address finds a restarted program there. Rejects with EngineError if a wanted one is taken.
 */
export async function portsFor(
  names: readonly string[],
  kept: Ports,
  wanted: Readonly<Record<string, number | undefined>>,
): Promise<Ports> {
  const ports: Record<string, number> = {};
  for (const name of names) {
    const asked = wanted[name];
    const before = kept[name];
    if (asked !== undefined && asked !== 0) {
      if (!(await isFree(asked))) throw new EngineError(takenSentence(name, asked));
      ports[name] = asked;
    } else ports[name] = before !== undefined && (await isFree(before)) ? before : await freePort();
  }
  return ports;
}

function takenSentence(name: string, port: number): string {
  return (
    `port ${port} of 127.0.0.1 (${name}) is taken by another program: stop that, ` +
    `or choose another, as in make mesh PORT=${port + 1_000}`
  );
}
