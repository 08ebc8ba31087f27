import { useSignal } from "@preact/signals";
import type { Model } from "../model.ts";
import { DeviceList } from "./device-list.tsx";
import { VisibilityMenu } from "./visibility-menu.tsx";

/**
 * What a user sets for themselves: who sees their presence, and which devices are signed in. Both are asked of the
 * server when they are opened, so that an open page never shows what another device has changed.
 */
export function SettingsMenu({ model, onSignOut }: { model: Model; onSignOut: (notice: string) => void }) {
  const isOpen = useSignal(false);
  return (
    <section class="menu" aria-label="Settings">
      <VisibilityMenu people={model.people} />
      <button
        type="button"
        id="devices"
        class="plain"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        Devices
      </button>
      {isOpen.value && <DeviceList model={model} onSignOut={onSignOut} />}
    </section>
  );
}
