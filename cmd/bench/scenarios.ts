import type { Scenario } from "./scenario.ts";
import { connect } from "./scenarios/connect.ts";
import { direct } from "./scenarios/direct.ts";
import { directGo } from "./scenarios/direct-go.ts";
import { floorStream } from "./scenarios/floor-stream.ts";
import { floorSync } from "./scenarios/floor-sync.ts";
import { group } from "./scenarios/group.ts";
import { groupGo } from "./scenarios/group-go.ts";
import { history } from "./scenarios/history.ts";
import { idle } from "./scenarios/idle.ts";
import { latency } from "./scenarios/latency.ts";
import { links } from "./scenarios/links.ts";
import { presence } from "./scenarios/presence.ts";

/**
 * Everything that is measured, in the order in which it runs and stands on the page. The floors come first, since the
 * page sets all others beside them; those that need most memory come last.
 */
export const SCENARIOS: readonly Scenario[] = [
  floorSync,
  floorStream,
  direct,
  directGo,
  latency,
  group,
  groupGo,
  connect,
  history,
  presence,
  idle,
  links,
];
