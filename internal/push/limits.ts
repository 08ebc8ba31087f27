/**
 * The numbers of a session, each with its reason (docs/design.md, sections 4 and 7). They are part of the contract or
 * follow from it, so they are constants and not settings.
 */

/** A stream that has not said `open` by then is ended. */
export const OPEN_TIMEOUT_MS = 10_000;

/** What `opened` asks of clients. */
export const PING_INTERVAL_MS = 15_000;

/** One ping interval and 10 s for a slow way: a client silent for longer is gone. */
export const SILENCE_MS = 25_000;

/** One sweep looks after the deadlines of all sessions, so that none has a timer of its own. */
export const SWEEP_MS = 500;

/** How long `subscribe` is waited for before the backfill starts anyway, and is compared later. */
export const SUBSCRIBE_WAIT_MS = 2_000;

/** Streams that one user may hold on a push server: a few devices with some tabs each, and nobody takes all seats. */
export const STREAMS_PER_USER = 20;

/** Unacknowledged events that need credit. */
export const CREDIT_EVENTS = 256;

/**
 * Everything that waits for one stream, the transport's part included. Beside what is kept for answers, presence and
 * `behind` it has room for eight texts of 8 KiB or five of the longest; with 64 KiB, 1,192 of some thousands of 8 KiB,
 * eight under way at a time, ended in a `behind`.
 */
export const QUEUE_BYTES = 256 * 1024;

/** Answers (accepted, refused, draining, pong) that wait; a client that lets more pile up is cut off. */
export const ANSWERS = 256;

/** Room that only answers may use: 256 `accepted` of at most 60 bytes. */
export const ANSWER_BYTES = 16 * 1024;

/** Backfill that waits at a time; what live events that are held meanwhile leave to it. */
export const BACKFILL_BYTES = 24 * 1024;

/** Threads that may be behind one by one; beyond it all are. */
export const BEHIND_THREADS = 500;

/** The most that an encoded `behind` takes: id, head with two numbers of 8 bytes, and their tags and lengths. */
export const BEHIND_BYTES = 44;

/** Users that a session may watch: a screen full of chats. */
export const WATCHED_USERS = 100;

/** The most that an encoded `presence` takes: a user id of 255, status, last seen of 9 bytes, tags and lengths. */
export const PRESENCE_FRAME_BYTES = 277;

/** Room that only `presence` may use: one for each watched user. */
export const PRESENCE_BYTES = WATCHED_USERS * PRESENCE_FRAME_BYTES;

/** What is given to the transport at a time at most, so that all that is never dropped still has room beside it. */
export const TRANSPORT_BYTES =
  QUEUE_BYTES - ANSWER_BYTES - PRESENCE_BYTES - (BEHIND_THREADS + 1) * BEHIND_BYTES;

/** A session's set of watched users is replaced at most once in this time: each new one costs a check of privacy. */
export const WATCH_EVERY_MS = 200;

/** How often a push server tells presence instances of all its sessions: two such may be lost before a lease ends. */
export const DIGEST_EVERY_MS = 15_000;

/** Sessions that are looked at for one part of a digest: some milliseconds of work, and some 100 KiB on a link. */
export const DIGEST_PART = 1_000;

/** How long a session that ended stands in every digest: as long as any instance could still hold it, and more. */
export const DOWNS_KEPT_MS = 60_000;

/** Sessions that ended and stand in digests; beyond it the oldest are left to their leases. */
export const DOWNS = 100_000;

/** How long a report to a presence instance may take, and the wait before it is made again. */
export const REPORT_MS = 2_000;
export const REPORT_AGAIN_MS = 1_000;

/** The wait before an instance that has not taken a watch is asked again. */
export const WATCH_AGAIN_MS = 1_000;

/** When the ring of presence instances has changed, a new owner knows after this. */
export const PULL_AFTER_MS = 20_000;

/** A session's `typing` of a thread gets through once in this time … */
export const TYPING_EVERY_MS = 3_000;

/** … and of so many threads at a time: nobody writes in more. */
export const TYPING_THREADS = 16;

/** Sends and receipts of one session that have no outcome yet. Beyond it the stream is not read. */
export const IN_FLIGHT = 256;

/** Their bytes. */
export const IN_FLIGHT_BYTES = 1024 * 1024;

/** Frames that advance nothing (ping, receipt, a repeated ack, a wrong send): so many at once … */
export const IDLE_FRAMES_BURST = 1_000;

/** … and so many a second: a hundred times what a person's client needs. */
export const IDLE_FRAMES_PER_SECOND = 100;

/** Threads whose delivered positions wait to be handed over; more than a client can be acking at a time. */
export const DELIVERED_THREADS = 1_000;

/** Entries of a group that are noted, without their bytes, while its members are being read; beyond it they are read again. */
export const HELD_ENTRIES = 64;

/** Users of one group whose membership is read in one call: their names fit into 64 KiB. */
export const MEMBERSHIP_USERS = 250;

/** Memberships that a push server reads at a time, each of one group, and lists of a user's groups likewise. */
export const READS_AT_ONCE = 32;

/** How long a list of groups may take; a membership has the deadline of every call to the message service. */
export const GROUPS_MS = 10_000;

/** How long a look at a user's devices may take: their streams end within 5 s. */
export const DEVICES_MS = 4_000;

/**
 * A channel instance says something every 5 s. One that was not heard for this long, in ms, may have said that a device was
 * signed out: before its sends are taken, it is looked at.
 */
export const HEARD_MS = 5_500;

/** How long a look at one device may take before a Submit: with SUBMIT_MS less than clients wait for one. */
export const SUBMIT_DEVICE_MS = 2_000;

/** The wait before such a call that failed is made again: from here, doubled each time, up to READ_AGAIN_MAX_MS. */
export const READ_AGAIN_MS = 100;
export const READ_AGAIN_MAX_MS = 10_000;

/** Blocks that are remembered per user while it is online. The message service judges by all of them anyway. */
export const BLOCKS = 1_000;

/** Pages of Sync that a push server asks for at a time: a restart must not bring the thread service down. */
export const SYNCS_AT_ONCE = 32;

/** How long a page of Sync may take. */
export const SYNC_MS = 10_000;

/** The wait before a failed Sync is tried again: from here, doubled each time, up to SYNC_RETRY_MAX_MS. */
export const SYNC_RETRY_MS = 500;
export const SYNC_RETRY_MAX_MS = 10_000;

/** How long before the user token ends the client hears of it. */
export const TOKEN_NOTICE_MS = 10_000;

/** A Submit answers by then, so that the outcomes it knows reach the client before its call's own 10 s are over. */
export const SUBMIT_MS = 9_500;
