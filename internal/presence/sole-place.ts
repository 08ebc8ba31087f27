import { soleRing } from "../base/ring.ts";
import type { Place } from "./ports.ts";

/** The place of the one instance of a process that has all services, with one push server of that name. */
export function solePlace(pushServer: string): Place {
  const name = "presence";
  const ring = soleRing({ name, address: "", incarnation: 1 });
  return {
    name,
    lease: { isSure: () => true }, // Nobody else can take it for gone.
    ring,
    registered: ring,
    pushServers: soleRing({ name: pushServer, address: "", incarnation: 1 }),
    instance: () => {
      throw new Error("there is no other instance");
    },
  };
}
