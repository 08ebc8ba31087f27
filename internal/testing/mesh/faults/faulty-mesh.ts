import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../../../cmd/mesh/plan/counts.ts";
import type { Mesh } from "../../../../cmd/mesh/run/mesh.ts";
import { startMesh } from "../../../../cmd/mesh/run/start-mesh.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { linesOf } from "../../sim/judge/history-file.ts";
import { Crowd } from "../people/crowd.ts";
import { edgeTokens } from "../people/edge-tokens.ts";
import type { Fault } from "./fault.ts";
import { Ground } from "./ground.ts";

/** How many messages a second all people write together. */
const PER_SECOND = 100;

/** Before a fault, and after it, so many are answered. */
const BEFORE = 300;
const AFTER = 200;

/** Within which that many are, in ms: some wait for what has just been mended. */
const ANSWERED_MS = 60_000;

/** So many breaches are shown: the first says most. */
const SHOWN = 20;

/** What people of a suite live on: 200 devices in 20 threads. */
const PEOPLE = { users: 60, devices: 80, groups: 10, directs: 10 };

/** A mesh with people on it, from before the first test of a suite until after its last. One message server's clock is off. */
export class FaultyMesh {
  readonly #seed = testSeed();
  #ground: Ground | undefined;

  constructor(store: Store) {
    let folder = "";
    let mesh: Mesh | undefined;
    let crowd: Crowd | undefined;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "heddle-faults-"));
      await chmod(folder, 0o711); // Postgres's user passes, or root's data would be left elsewhere.
      const lateClock = join(import.meta.dirname, "late-clock.ts");
      const env = ({ name }: { readonly name: string }): Readonly<Record<string, string>> =>
        name === "message-2" ? { NODE_OPTIONS: `--import=${lateClock}` } : {};
      mesh = await startMesh({ folder, store, edgePort: 0, restarts: false, env });
      const ca = await readFile(mesh.certificates.ca);
      const { edgeUrl: grpcUrl } = mesh;
      const tokensOf = (users: readonly string[]) => edgeTokens(grpcUrl, ca, users);
      const random = new SeededRandom(this.#seed);
      crowd = await Crowd.gather({ random, grpcUrl, ca, tokensOf, ...PEOPLE });
      this.#ground = new Ground(mesh, crowd);
    });
    after(async () => {
      await crowd?.close();
      await mesh?.stop();
      await rm(folder, { recursive: true, force: true });
    });
  }

  /** People chat, the fault befalls, people chat on, all is quiet: and the judge finds nothing, though the fault bit. */
  async judge(fault: Fault): Promise<void> {
    const ground = this.#ground;
    assert.ok(ground, "the mesh is started before the first test");
    const { crowd } = ground;
    crowd.turnPage();
    crowd.chat(PER_SECOND);
    await crowd.answered(BEFORE, ANSWERED_MS);
    await fault.befall(ground);
    await crowd.answered(AFTER, ANSWERED_MS);
    const bites = await fault.bites(ground);
    await crowd.calm();
    const breaches = await crowd.breaches();
    if (breaches.length > 0) assert.fail(await this.#told(fault, crowd, breaches));
    for (const [what, often] of Object.entries(bites)) assert.ok(often > 0, `vacuous: ${often} ${what}`);
  }

  /** The breaches for a person, and the history in a file for `internal/testing/sim/main.ts --check`. */
  async #told(fault: Fault, { history }: Crowd, breaches: readonly string[]): Promise<string> {
    const file = join(tmpdir(), `heddle-faults-${process.pid}-${fault.title.replaceAll(/\W+/g, "-")}.jsonl`);
    await writeFile(file, linesOf({ name: fault.title, history }));
    const shown = breaches.slice(0, SHOWN).join("\n");
    return `${breaches.length} breaches; HEDDLE_TEST_SEED=${this.#seed}; the history is in ${file}\n${shown}`;
  }
}
