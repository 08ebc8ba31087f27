import { SettingsError } from "../../internal/base/env.ts";
import { STORES, type Store } from "./plan/counts.ts";

/** What the commands of a mesh are given. */
export interface MeshSettings {
  readonly folder: string;
  /** Undefined: as the folder has it. */
  readonly store: Store | undefined;
  /** What clients dial; undefined for the usual one. */
  readonly edgePort: number | undefined;
}

/** Reads options and environment. Throws SettingsError. */
export function meshSettings(
  options: { readonly store?: string; readonly port?: string },
  env: Readonly<Record<string, string | undefined>>,
): MeshSettings {
  const { store, port } = options;
  const known = STORES.find((one) => one === store);
  if (store !== undefined && !known) {
    throw new SettingsError(`STORE=${store}: write ${STORES.join(" or ")}`);
  }
  const edgePort = port === undefined ? undefined : Number(port);
  if (edgePort !== undefined && !(Number.isInteger(edgePort) && edgePort >= 0 && edgePort <= 65_535)) {
    throw new SettingsError(`PORT=${port}: write the number of a port, 0 for a free one`);
  }
  return { folder: env.HEDDLE_MESH_DIR || "data/mesh", store: known, edgePort };
}
