import type { TableDescription } from "./cluster/hbase-master.ts";

/** The families of docs/design.md, section 5. */
export const FAMILIES = ["h", "m", "x", "r"] as const;

/** Of a cell the newest version alone is kept, for ever: what these say otherwise would lose entries or positions. */
const KEPT: Readonly<Record<string, string>> = {
  VERSIONS: "1",
  TTL: "2147483647",
  KEEP_DELETED_CELLS: "FALSE",
};

/** Every cell repeats its row and qualifier, and neighbours differ little. */
const PACKED: Readonly<Record<string, string>> = { DATA_BLOCK_ENCODING: "FAST_DIFF", BLOOMFILTER: "ROW" };

/** What makes an acknowledged write outlive a power cut of all servers at once. */
const SYNCED = "FSYNC_WAL";

/** The table as we make it. */
export const TABLE_SHAPE: TableDescription = {
  attributes: { DURABILITY: SYNCED },
  families: Object.fromEntries(FAMILIES.map((family) => [family, { ...KEPT, ...PACKED }])),
};

/** Where a table of so many regions is cut: row keys begin with two bytes of a hash, so equal parts get equal loads. */
export function splitKeys(regions: number): Uint8Array[] {
  return Array.from({ length: regions - 1 }, (_, at) => {
    const place = Math.floor(((at + 1) * 0x10000) / regions);
    return Uint8Array.of(place >> 8, place & 0xff);
  });
}

/** Why this table is not ours, in words that follow its name; undefined where it is. */
export function strangeness({ families }: TableDescription): string | undefined {
  const missing = FAMILIES.filter((family) => !families[family]);
  const other = Object.keys(families).filter((family) => !FAMILIES.some((own) => own === family));
  if (missing.length > 0 || other.length > 0) {
    const has = Object.keys(families).join(", ") || "none";
    return `has the families ${has}, and not ${FAMILIES.join(", ")}`;
  }
  for (const [family, attributes] of Object.entries(families))
    for (const [key, value] of Object.entries(KEPT)) {
      const found = attributes[key];
      if (found !== undefined && found.toUpperCase() !== value && !(key === "TTL" && found === "FOREVER"))
        return `keeps family ${family} with ${key} => ${found}, and not ${value}`;
    }
  return undefined;
}

/** What a power cut may do to this table, in words; undefined where every acknowledged write outlives it. */
export function weakness(table: string, { attributes }: TableDescription): string | undefined {
  const found = attributes.DURABILITY ?? "USE_DEFAULT";
  if (found.toUpperCase() === SYNCED) return undefined;
  return (
    `the table ${table} has DURABILITY => ${found}: a power cut of all servers may lose what was answered; in HBase's shell: ` +
    `alter '${table}', DURABILITY => '${SYNCED}'`
  );
}
