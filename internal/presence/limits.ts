/**
 * The numbers of presence, each with its reason (docs/design.md, section 8). They are promises, so they are constants
 * and not settings.
 */

/** Online is shown when the user has been there this long without a gap: who only looks in is not shown. */
export const ONLINE_AFTER_MS = 3_000;

/** The grace. Offline is shown this long after the last session ended: a gap shorter than it shows nothing. */
export const OFFLINE_AFTER_MS = 10_000;

/** A session lives this long after the last digest that named it: two digests may be lost, and 5 s of delay. */
export const LEASE_MS = 35_000;

/** How often leases and delays are checked. With a push server's sweep of 500 ms it makes the one second of 36. */
export const CHECK_EVERY_MS = 500;

/** A user's shown status changes at most once in this time. */
export const CHANGE_EVERY_MS = 1_000;

/** A new instance knows after this, whichever push servers have not sent their digest. */
export const LEARN_MS = 20_000;

/** Users who are away and whose last seen is remembered; beyond it the longest away are forgotten. */
export const LAST_SEEN_USERS = 200_000;

/** Users whose visibility is remembered; beyond it the longest unused are read anew. */
export const VISIBILITIES = 200_000;

/** Outside its presence instances a visibility is remembered for so long, and in one that is not sure of its lease. */
export const VISIBILITY_KEPT_MS = 1_000;

/** A change in who may see which user is refused after this if not every instance has confirmed it. */
export const CONFIRM_MS = 5_000;

/** An instance that has not confirmed is told again after this. */
export const CONFIRM_AGAIN_MS = 500;

/** Changes that wait to be confirmed, in one process; beyond it the oldest is given up. */
export const ERRANDS = 10_000;

/** A list waits so long for the owners of the users; then nothing is known of theirs. */
export const ASK_MS = 2_000;

/** A check of privacy that failed is made again after this. */
export const CHECK_AGAIN_MS = 1_000;
