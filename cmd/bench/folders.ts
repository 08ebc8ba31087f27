import { join } from "node:path";

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, "../..");

/** What benchmarks leave behind, and the servers' data while they run: on the checkout's disk, ignored by git. */
export const CACHE = join(ROOT, ".cache/bench");

/** One record a line, the newest last. */
export const RESULTS = join(CACHE, "results.jsonl");

/** The page made of them. */
export const PAGE = join(ROOT, "docs/bench.md");
