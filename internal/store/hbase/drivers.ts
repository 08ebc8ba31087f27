import { RpcClientLink } from "./rpc-client/rpc-client-link.ts";
import { ThinLink } from "./thin/thin-link.ts";
import type { Driver } from "./wall/driver.ts";

/** What speaks HBase's protocol for us (HEDDLE_HBASE_DRIVER): our own, or the package hbase-rpc-client. */
export const DRIVER_NAMES = ["thin", "rpc-client"] as const;

export type DriverName = (typeof DRIVER_NAMES)[number];

const DRIVERS: Readonly<Record<DriverName, Driver>> = {
  thin: (init) => new ThinLink(init),
  "rpc-client": (init) => new RpcClientLink(init),
};

export function driverNamed(name: DriverName): Driver {
  return DRIVERS[name];
}
