import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where Heddle keeps what is costly to build and can be built again: HEDDLE_CACHE_DIR, else `heddle` in the user's own
 * cache (XDG_CACHE_HOME, else `~/.cache`). It lies outside the checkout, so that fresh clones find it filled. The folder
 * may not exist yet.
 */
export function cacheFolder(): string {
  const { HEDDLE_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  return HEDDLE_CACHE_DIR || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "heddle");
}
