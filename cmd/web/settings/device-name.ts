const PAGE_ID = /^web-([0-9a-f]{16})-(\d)$/;
const TERMINAL_ID = /^chat-([0-9a-f]{12})$/;

/**
 * What people call a device, of which the server knows the id only: by the program that makes such ids, with the first
 * digits to tell two apart; another program's by its id. `ownId`: of the device that asks.
 */
export function deviceName(deviceId: string, ownId: string): string {
  const [, browser, tab] = PAGE_ID.exec(deviceId) ?? [];
  if (browser) {
    const name = browser === PAGE_ID.exec(ownId)?.[1] ? "This browser" : `Browser ${browser.slice(0, 4)}`;
    return tab === "0" ? name : `${name}, tab ${tab}`;
  }
  const [, terminal] = TERMINAL_ID.exec(deviceId) ?? [];
  return terminal ? `Terminal ${terminal.slice(0, 4)}` : deviceId;
}
