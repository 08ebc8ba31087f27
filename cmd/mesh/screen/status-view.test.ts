import assert from "node:assert/strict";
import type { SupervisorStatus } from "../control/messages.ts";
import { parseMetrics } from "./probe.ts";
import { meshStatus, statusLines } from "./status-view.ts";

const NOW_MS = 1_700_000_000_000;
const process = (name: string, pid: number) => ({ name, pid, isRunning: true, log: `/logs/${name}.log` });
const ready = {
  store: "postgres",
  edgeUrl: "https://127.0.0.1:8443",
  ca: "/mesh/ca.pem",
  env: "/mesh/env",
  sinceMs: NOW_MS - 200_000,
} as const;

const members = (push: number) =>
  `heddle_registry_members{service="push",state="serving"} ${push}\nheddle_registry_members{service="push",state="leaving"} 0\n`;
const says = (text: string, readiness: string | undefined = "ready") => ({
  readiness,
  metrics: parseMetrics(text),
});

describe("The status of a mesh", () => {
  const supervisor: SupervisorStatus = {
    pid: 1,
    ready,
    ports: {},
    processes: [
      process("etcd-1", 10),
      {
        ...process("push-1", 11),
        restarted: { restarts: 2, why: "SIGKILL", endedAtMs: NOW_MS, isAway: false },
      },
      process("message-1", 12),
    ],
  };

  it("shows each process with what it says of itself, the ring and the sums", () => {
    const probes = new Map([
      ["push-1", says(`${members(1)}heddle_push_sessions 7\nnodejs_eventloop_lag_p99_seconds 0.0123\n`)],
      ["message-1", says(`# HELP x y\n${members(1)}heddle_channel_repair_topics 3\n`)],
    ]);
    const found = meshStatus(supervisor, probes, NOW_MS, () => 50 * 1_048_576);
    assert.deepEqual(statusLines(found, 100), [
      "Ready for 3 min: Heddle's mesh, STORE=postgres, https://127.0.0.1:8443",
      "",
      "                     pid    MB lag ms  state",
      "etcd-1                10    50         runs",
      "push-1                11    50     12  ready, 7 streams, restarted 2×, last end SIGKILL",
      "message-1             12    50         ready, 3 topics to repair",
      "",
      "ring     all programs agree: 1 push",
      "sums     3 processes, 150 MB, 7 streams, 3 topics to repair",
    ]);
    assert.equal(found.isReady, true);
    assert.ok(statusLines(found, 44).every((line) => line.length <= 44));
  });

  it("says what is not ready, what is away, and that programs see different rings", () => {
    const away = {
      ...process("message-1", 12),
      isRunning: false,
      restarted: { restarts: 0, why: "exit code 3", endedAtMs: 0, isAway: true, failed: "no database\nat" },
    };
    const probes = new Map([
      ["push-1", says(members(1), "draining")],
      ["message-1", says(members(2), undefined)],
    ]);
    const found = meshStatus(
      { ...supervisor, processes: [process("push-1", 11), away] },
      probes,
      NOW_MS,
      () => 0,
    );
    const text = statusLines(found, 200).join("\n");
    assert.match(text, /NOT ALL IS READY/);
    assert.match(text, /push-1 .* draining/);
    assert.match(text, /message-1 .* ended, no database, restarted 0×, last end exit code 3$/m);
    assert.match(text, /THE PROGRAMS SEE DIFFERENT RINGS: 1 or 2 push/);
    assert.equal(found.isReady, false);
  });
});
