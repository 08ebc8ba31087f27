import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Child } from "./child.ts";
import { EngineError } from "./engine.ts";

/** How often is looked: short beside the start of any engine, and long beside a look. */
const LOOK_EVERY_MS = 50;

/**
 * Waits until a child serves. `what` completes "… before": "it listened on port 2379". Rejects with EngineError, the last
 * lines of its log in it, when the child ends first or `deadlineMs` have passed.
 */
export async function until(
  child: Child,
  what: string,
  isThere: () => boolean | Promise<boolean>,
  deadlineMs: number,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await isThere())) {
    if (!child.isRunning) {
      const { code, signal } = await child.ended;
      throw new EngineError(
        `${child.name} ended with ${signal ?? code} before ${what}; ${child.lastWords()}`,
      );
    }
    if (performance.now() > end) {
      throw new EngineError(
        `${child.name}: ${deadlineMs / 1_000} s passed before ${what}; ${child.lastWords()}`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Waits until a child has printed something, since it was started. */
export function untilSaid(child: Child, pattern: RegExp, deadlineMs: number): Promise<void> {
  return until(child, `it printed ${pattern.source}`, () => pattern.test(child.said()), deadlineMs);
}

/** Waits until somebody listens there. */
export function untilListening(child: Child, port: number, deadlineMs: number): Promise<void> {
  return until(child, `it listened on 127.0.0.1:${port}`, () => isListening(port), deadlineMs);
}

/** Whether a connection to 127.0.0.1 is taken. */
export async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
