import v8 from "node:v8";
import vm from "node:vm";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

/** What the values that `make` returns hold on to, in bytes: of the heap and of array buffers, after a collection. */
export function heldBytes<T>(make: () => T): { readonly bytes: number; readonly held: T } {
  const before = heldNow();
  const held = make();
  return { bytes: heldNow() - before, held };
}

/** As heldBytes, of what is made by and by. */
export async function heldBytesOf<T>(
  make: () => Promise<T>,
): Promise<{ readonly bytes: number; readonly held: T }> {
  const before = heldNow();
  const held = await make();
  return { bytes: heldNow() - before, held };
}

function heldNow(): number {
  // Twice: what a first collection finalizes, array buffers among it, the second one frees.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
