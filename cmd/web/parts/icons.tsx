import type { ComponentChildren } from "preact";
import type { Tick } from "../model.ts";

/** Small pictures, drawn in the colour of the text around them. Their meaning is always said in words beside them. */
function Icon({ size = 20, children }: { size?: number; children: ComponentChildren }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** Leads back to the list; shown where list and chat take turns. */
export const BackIcon = () => (
  <Icon>
    <path d="M12 4.5 6.5 10l5.5 5.5" />
  </Icon>
);

/** Starts a chat. */
export const PenIcon = () => (
  <Icon>
    <path d="M9 3.5H5A1.5 1.5 0 0 0 3.5 5v10A1.5 1.5 0 0 0 5 16.5h10a1.5 1.5 0 0 0 1.5-1.5v-4" />
    <path d="m8 12 .6-2.6 6.7-6.7a1.4 1.4 0 0 1 2 2l-6.7 6.7L8 12Z" />
  </Icon>
);

/** Signs out of this tab. */
export const LeaveIcon = () => (
  <Icon>
    <path d="M8 16.5H5A1.5 1.5 0 0 1 3.5 15V5A1.5 1.5 0 0 1 5 3.5h3M12.5 13.5 16.5 10l-4-3.5M16 10H8" />
  </Icon>
);

/** Opens the settings. */
export const SettingsIcon = () => (
  <Icon>
    <path d="M3 6h6m4 0h4M3 14h2m4 0h8M13 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM9 14a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z" />
  </Icon>
);

/** Sends what is in the field. */
export const SendIcon = () => (
  <Icon>
    <path d="M3.5 10 3 3.5 17.5 10 3 16.5l.5-6.5Zm0 0H10" />
  </Icon>
);

/** Leads to the newest message. */
export const DownIcon = () => (
  <Icon>
    <path d="M10 4v11.5M5 11l5 5 5-5" />
  </Icon>
);

/** Opens what there is to know and do about a chat with one user. */
export const DotsIcon = () => (
  <Icon>
    <path d="M10 4.5v.1M10 10v.1M10 15.5v.1" stroke-width="2.6" />
  </Icon>
);

/** A group, and what there is to know and do about it. */
export const PeopleIcon = () => (
  <Icon>
    <path d="M10 7a2.7 2.7 0 1 1-5.4 0A2.7 2.7 0 0 1 10 7ZM2.5 16c0-2.6 2-4.3 4.8-4.3s4.8 1.7 4.8 4.3M13 4.5a2.6 2.6 0 0 1 0 5M14.5 12c1.9.5 3 2 3 4" />
  </Icon>
);

/** Marks a chat whose other user one has blocked. */
export const BlockedIcon = () => (
  <Icon size={16}>
    <path d="M10 3a7 7 0 1 0 0 14 7 7 0 1 0 0-14M5.2 5.2l9.6 9.6" />
  </Icon>
);

/** Notifications are on; a click turns them off. */
export const BellIcon = () => (
  <Icon>
    <path d="M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5.5-1.5 5.5h12s-1.5-1.5-1.5-5.5A4.5 4.5 0 0 0 10 3ZM8.5 15.8a1.6 1.6 0 0 0 3 0" />
  </Icon>
);

/** Notifications are off. `size` in px, as of the others. */
export const BellOffIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M6.3 5A4.5 4.5 0 0 1 14.5 7.5c0 1.4.2 2.5.5 3.4M13 13H4s1.5-1.5 1.5-5.5M8.5 15.8a1.6 1.6 0 0 0 3 0M3.5 3.5l13 13" />
  </Icon>
);

/** Sends a failed message again. */
export const RetryIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M15.5 12.5a6 6 0 1 1-.6-5.6M15.5 3v4.3h-4.3" />
  </Icon>
);

/** The sign of the program: threads through the eyes of a heddle. */
export const Mark = ({ size = 40 }: { size?: number }) => (
  <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M6 8.5h20M6 23.5h20M10 8.5V13M10 19v4.5M16 8.5V13M16 19v4.5M22 8.5V13M22 19v4.5" />
    <ellipse cx="10" cy="16" rx="1.7" ry="3" />
    <ellipse cx="16" cy="16" rx="1.7" ry="3" />
    <ellipse cx="22" cy="16" rx="1.7" ry="3" />
  </svg>
);

/**
 * On a field of 16 by 16. `read` has the shape of `delivered`; the style sheet gives it a colour, the name tells it
 * apart.
 */
const tickPaths: Record<Tick, string> = {
  queued: "M8 2.3a5.7 5.7 0 1 0 0 11.4A5.7 5.7 0 1 0 8 2.3M8 5v3l2 1.5",
  sending: "M8 2.3a5.7 5.7 0 1 0 0 11.4A5.7 5.7 0 1 0 8 2.3M8 5v3l2 1.5",
  checking:
    "M6.2 6.2c0-1 .8-1.7 1.8-1.7s1.8.7 1.8 1.6c0 1.3-1.8 1.4-1.8 2.7M8 11.2v.1M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2",
  failed: "M8 2.3a5.7 5.7 0 1 0 0 11.4A5.7 5.7 0 1 0 8 2.3M8 5v3.5M8 10.9v.1",
  sent: "m6 8.5 2.7 2.7L14.5 5",
  delivered: "m1.5 8.5 2.7 2.7L10 5M8.3 10.8l.4.4L14.5 5",
  read: "m1.5 8.5 2.7 2.7L10 5M8.3 10.8l.4.4L14.5 5",
};

/** What each tick means, for tool tips and screen readers. */
export const tickNames: Record<Tick, string> = {
  queued: "Waiting to be sent",
  sending: "Sending",
  checking: "Finding out whether it was sent",
  failed: "Not sent",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
};

/** How far one's own message has got: a clock, a question mark, an exclamation mark, one tick, two, two coloured. */
export function TickMark({ tick }: { tick: Tick }) {
  return (
    <span class={`tick tick-${tick}`} role="img" aria-label={tickNames[tick]} title={tickNames[tick]}>
      <svg
        width="16"
        height="16"
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
      >
        <path d={tickPaths[tick]} />
      </svg>
    </span>
  );
}
