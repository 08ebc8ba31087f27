import { type Clock, sleep } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Publisher } from "../../channel/publisher/publisher.ts";
import type { Registration } from "../../registry/registration.ts";
import { HEARD_MS } from "./held.ts";

/** A program that hands events over: a message or a thread server. */
export interface LeavingWriter {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registration: Registration;
  readonly publisher: Publisher;
  /** Ends its service, whose last events are handed over by then. */
  readonly close?: () => Promise<void>;
}

/**
 * How a program that hands events over leaves (docs/design.md, section 7): nothing new is asked of it; its service ends;
 * what it has handed over and may not have reached everybody is told of until it has, within a bound; and only then is
 * its place given up. Nobody else knows of what it has to repair.
 */
export async function leaveWriter(writer: LeavingWriter): Promise<void> {
  const { clock, log, registration, publisher, close } = writer;
  await registration.leaving();
  await sleep(clock, HEARD_MS);
  await close?.();
  const topics = await publisher.drained();
  if (topics > 0)
    log.warn(
      { topics },
      "left before every event was told of: their next entry, or a sync, shows what is missed",
    );
  await registration.revoke();
}
