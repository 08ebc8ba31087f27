import { readIfThere, writePrivateFile } from "../../../internal/engines/certificates/private-file.ts";
import { type Counts, STORES, type Store } from "../plan/counts.ts";
import type { Ports } from "../plan/ports.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** What a mesh's folder says of it, for the next start: which ports it had, and which processes. */
export interface MeshState {
  readonly format: 1;
  readonly store: Store;
  readonly counts: Counts;
  readonly ports: Ports;
  /** By name. Those of the past too, after a crash: `began` tells whether they still run. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
}

/** What is kept in the file; undefined if there is none, or none that can be read: then a start makes all of it anew. */
export async function readState(path: string): Promise<MeshState | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as Partial<MeshState> | null;
    if (state?.format !== 1 || !STORES.some((store) => store === state.store)) return undefined;
    return { ...state, ports: state.ports ?? {}, processes: state.processes ?? {} } as MeshState;
  } catch {
    return undefined;
  }
}

/** Writes it whole or not at all. */
export async function writeState(path: string, state: MeshState): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(state, null, 2)}\n`);
}
