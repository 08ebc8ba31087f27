import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Device } from "../../../client/index.ts";
import type { Model } from "../model.ts";
import { changeProblem } from "../parts/change-problem.ts";
import { clockTime, dayName, fullTime } from "../parts/times.ts";
import { deviceName } from "./device-name.ts";

/**
 * The devices that are signed in, this one first, each with a way out. Asked of the server when the list is opened and after each
 * change; until the server has said it, and after a change that it did not confirm, there is no list.
 */
export function DeviceList({ model, onSignOut }: { model: Model; onSignOut: (notice: string) => void }) {
  const list = useSignal<readonly Device[] | undefined>(undefined);
  const isBusy = useSignal(false);
  const problem = useSignal("");
  const done = useSignal("");
  const { ownId } = model.devices;
  // One question at a time, and what it fails with in words. What is not certain is not shown.
  const settle = async (work: () => Promise<void>) => {
    if (isBusy.value) return;
    isBusy.value = true;
    problem.value = done.value = "";
    try {
      await work();
    } catch (error) {
      list.value = undefined;
      problem.value = changeProblem(error);
    }
    isBusy.value = false;
  };
  const ask = async () => {
    const isOther = ({ deviceId }: Device) => Number(deviceId !== ownId);
    // The sort is stable: behind this one they stay as the server has them, the last connected first.
    list.value = (await model.devices.list()).toSorted((a, b) => isOther(a) - isOther(b));
  };
  const revoke = (deviceId: string) =>
    settle(async () => {
      document.getElementById("devices")?.focus(); // The list, and the focus with it, may go.
      await model.devices.revoke(deviceId);
      // This device can ask nothing any more.
      if (deviceId === ownId) return onSignOut("This device is signed out.");
      list.value = undefined;
      // Before the list is asked for: it is done, whether that answer comes or not.
      done.value = `${deviceName(deviceId, ownId)} is signed out.`;
      await ask();
    });
  // Once, when the list is opened.
  useEffect(() => void settle(ask), []);
  return (
    <div aria-busy={isBusy.value}>
      {!list.value && isBusy.value && <p>Asking the server for your devices…</p>}
      <p role="status">{done}</p>
      <p class="problem" role="alert">
        {problem}
      </p>
      {problem.value && (
        <button type="button" class="plain" onClick={() => settle(ask)}>
          Ask again
        </button>
      )}
      {list.value && (
        <ul class="members" aria-label="Your devices">
          {list.value.map((device) => (
            <Row
              key={device.deviceId}
              device={device}
              name={deviceName(device.deviceId, ownId)}
              isOwn={device.deviceId === ownId}
              isBusy={isBusy.value}
              nowMs={model.people.nowMs.value}
              onRevoke={() => revoke(device.deviceId)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** A device, and how to sign it out. */
interface RowProps {
  readonly device: Device;
  readonly name: string;
  readonly isOwn: boolean;
  readonly isBusy: boolean;
  readonly nowMs: number;
  readonly onRevoke: () => void;
}

/** One device with its way out, which asks once more. */
function Row({ device, name, isOwn, isBusy, nowMs, onRevoke }: RowProps) {
  /** Whether the question stands below. */
  const isAsking = useSignal(false);
  const way = useRef<HTMLButtonElement>(null);
  // The focus returns to the button that asked.
  const keep = () => {
    isAsking.value = false;
    way.current?.focus();
  };
  const { deviceId, lastOpenedAtMs: atMs } = device;
  return (
    <li>
      <span class="name" title={deviceId}>
        {name}
        <time dateTime={new Date(atMs).toISOString()} title={fullTime(atMs)}>
          Last connected: {dayName(atMs, nowMs)}, {clockTime(atMs)}
        </time>
      </span>
      {isOwn && <span class="role">This one</span>}
      <span class="powers">
        <button
          ref={way}
          type="button"
          class="plain danger"
          aria-label={`Sign out ${name}`}
          aria-expanded={isAsking.value}
          onClick={() => {
            isAsking.value = !isAsking.value;
          }}
        >
          Sign out
        </button>
      </span>
      {isAsking.value && (
        <Question name={name} isOwn={isOwn} isBusy={isBusy} onYes={onRevoke} onKeep={keep} />
      )}
    </li>
  );
}

/** What is asked before a device is signed out. */
interface QuestionProps {
  readonly name: string;
  readonly isOwn: boolean;
  readonly isBusy: boolean;
  readonly onYes: () => void;
  readonly onKeep: () => void;
}

/** Asks once more, with the focus where nothing is lost. Escape leaves it. */
function Question({ name, isOwn, isBusy, onYes, onKeep }: QuestionProps) {
  const question = useRef<HTMLDivElement>(null);
  const no = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    no.current?.focus();
    question.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has a border and a legend
    <div
      ref={question}
      class="question"
      role="group"
      aria-label={`Sign out ${name}?`}
      onKeyDown={(event) => {
        if (event.key === "Escape") onKeep();
      }}
    >
      <p>
        {isOwn
          ? "You sign in again to go on here, as a new device. What is not sent yet waits until then."
          : "It is signed out within seconds, and gets no more messages. This cannot be taken back."}
      </p>
      <button
        type="button"
        class="plain danger"
        aria-label={`Yes, sign out ${name}`}
        aria-disabled={isBusy}
        onClick={onYes}
      >
        Yes, sign out
      </button>
      <button ref={no} type="button" class="plain" onClick={onKeep}>
        Keep it
      </button>
    </div>
  );
}
