import { join, resolve } from "node:path";

/** Where everything of one mesh is. All absolute. */
export interface MeshFolder {
  readonly folder: string;
  /** Of programs; engines have theirs below their own folders. */
  readonly logs: string;
  readonly state: string;
  readonly lock: string;
  readonly socket: string;
  /** For a shell: what it has to set to chat through the mesh. */
  readonly env: string;
  readonly databaseUrl: string;
}

/** HEDDLE_MESH_DIR, by default `data/mesh` where the command is run. */
export function meshFolder(path: string): MeshFolder {
  const folder = resolve(path);
  return {
    folder,
    logs: join(folder, "logs"),
    state: join(folder, "state.json"),
    lock: join(folder, "lock"),
    socket: join(folder, "control.sock"),
    env: join(folder, "env"),
    databaseUrl: join(folder, "keys/database-url"),
  };
}
