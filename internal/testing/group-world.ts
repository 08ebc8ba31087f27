import type { ServerParts } from "./append-server.ts";
import { ThreadWorld } from "./thread-world.ts";
export type GroupVariant = (parts: ServerParts, world: GroupWorld) => ServerParts;
export abstract class GroupWorld extends ThreadWorld {}
