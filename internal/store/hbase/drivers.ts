import { ThinLink } from "./thin/thin-link.ts";
import type { Driver } from "./wall/driver.ts";

/** What speaks HBase's protocol for us (HEDDLE_HBASE_DRIVER). */
export type DriverName = "thin";

const DRIVERS: Readonly<Record<DriverName, Driver>> = {
  thin: (init) => new ThinLink(init),
};

export function driverNamed(name: DriverName): Driver {
  return DRIVERS[name];
}
