import { engineFaults, longFaults } from "./engine-faults.ts";
import { FaultyMesh } from "./faulty-mesh.ts";
import { hbaseFaults } from "./hbase-faults.ts";
import { programFaults } from "./program-faults.ts";

/** By hand, `HEDDLE_TEST_STORES=postgres` or `hbase` tries every fault of one mesh, which takes up to half an hour. */
const asked = process.env.HEDDLE_TEST_STORES;
const faults = [...programFaults, ...engineFaults];

for (const store of ["postgres", "hbase"] as const)
  if (store === (asked ?? "postgres"))
    describe(`People on a mesh over ${store} lose nothing`, function () {
      this.timeout(400_000);
      const mesh = new FaultyMesh(store);
      const more = asked ? [...longFaults, ...(store === "hbase" ? hbaseFaults : [])] : [];

      for (const fault of [...faults, ...more]) it(`when ${fault.title}`, () => mesh.judge(fault));
    });
