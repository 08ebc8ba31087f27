import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClientFrameSchema, EventSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { ROOT } from "../trials/programs/heddle-process.ts";
import { ASKERS, type Asker } from "./authorization/asker.ts";
import { CALLS, type Case } from "./authorization/calls.ts";
import { EVENTS } from "./authorization/events.ts";
import { FRAMES } from "./authorization/frames.ts";
import { World } from "./authorization/world.ts";
import { SERVICES } from "./contract-coverage/recorded-heddle.ts";
import { tableOf } from "./markdown-table.ts";

const page = await readFile(join(ROOT, "docs/authorization.md"), "utf8");

/** A cell that is not run: its column says nothing of the row. */
const NOTHING = "–";

/** The tables of the page, with the names that the contract has for their rows. */
const TABLES = [
  {
    heading: "Calls",
    column: "call",
    names: SERVICES.flatMap(({ name, methods }) => methods.map((method) => `${name}.${method.name}`)),
    cases: CALLS,
  },
  { heading: "Client frames", column: "frame", names: fieldsOf(ClientFrameSchema), cases: FRAMES },
  { heading: "Server events", column: "event", names: fieldsOf(EventSchema), cases: EVENTS },
];

describe("Who may what (docs/authorization.md)", function () {
  this.timeout(30_000);
  let world: World;
  before(async () => {
    world = await World.open();
  });
  afterEach(() => world.closeStreams());
  after(() => world?.close());

  for (const { heading, column, names, cases } of TABLES) {
    const rows = tableOf(page, heading);

    it(`${heading}: has a row for every one of the contract, and a column for every asker`, () => {
      assert.deepEqual(rows.map((row) => row[column]).toSorted(), names.toSorted());
      for (const row of rows) assert.deepEqual(Object.keys(row), [column, ...ASKERS]);
    });

    for (const row of rows) {
      const asked = ASKERS.filter((asker) => row[asker] !== NOTHING);
      for (const asker of asked) {
        it(`${row[column]}: ${asker} → ${row[asker]}`, async () => {
          assert.equal(await run(cases, row[column] ?? "", asker), row[asker]);
        });
      }
    }
  }

  /** What the program does to one asker; a row or column without a case fails. */
  async function run(cases: Record<string, Case>, name: string, asker: Asker): Promise<string> {
    const made = cases[name];
    assert.ok(made, `there is no case for ${name}`);
    return made(world, asker);
  }
});

/** Names of all arms of a frame: a new one has no row in the page until someone decides who may use it. */
function fieldsOf(desc: typeof ClientFrameSchema | typeof EventSchema): string[] {
  return desc.oneofs.flatMap(({ fields }) => fields.map(({ name }) => name));
}
