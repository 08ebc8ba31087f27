/** Times as people read them, in the browser's own language and zone. Texts are English, as the page's are. */

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekdayFormat = new Intl.DateTimeFormat("en", { weekday: "long" });
const dayFormat = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const shortFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortYearFormat = new Intl.DateTimeFormat(undefined, {
  day: "2-digit",
  month: "2-digit",
  year: "2-digit",
});
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** Hours and minutes. */
export function clockTime(atMs: number): string {
  return clockFormat.format(atMs);
}

/** Everything, for a tool tip. */
export function fullTime(atMs: number): string {
  return fullFormat.format(atMs);
}

/** A day as a separator between messages says it: Today, Yesterday, Monday, Monday, 3 March, 3 March 2025. */
export function dayName(atMs: number, nowMs: number): string {
  const age = daysBetween(atMs, nowMs);
  if (age === 0) return "Today";
  if (age === 1) return "Yesterday";
  if (age > 1 && age < 7) return weekdayFormat.format(atMs);
  return isSameYear(atMs, nowMs) ? dayFormat.format(atMs) : yearFormat.format(atMs);
}

/** A moment as a list row says it, in at most nine characters or so: 14:05, Yesterday, Mon's name, 3 Mar, 03/03/25. */
export function shortTime(atMs: number, nowMs: number): string {
  const age = daysBetween(atMs, nowMs);
  if (age === 0) return clockTime(atMs);
  if (age === 1) return "Yesterday";
  if (age > 1 && age < 7) return weekdayFormat.format(atMs);
  return isSameYear(atMs, nowMs) ? shortFormat.format(atMs) : shortYearFormat.format(atMs);
}

/** Whether two moments fall on one day of the local calendar. */
export function isSameDay(aMs: number, bMs: number): boolean {
  return daysBetween(aMs, bMs) === 0;
}

/** Midnights between two moments, counted on the calendar: a day may have 23 or 25 hours. */
function daysBetween(fromMs: number, toMs: number): number {
  return dayNumber(toMs) - dayNumber(fromMs);
}

/** Days since 1970 on the local calendar. By Date.UTC, in which every day has 24 hours. */
function dayNumber(atMs: number): number {
  const date = new Date(atMs);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

function isSameYear(aMs: number, bMs: number): boolean {
  return new Date(aMs).getFullYear() === new Date(bMs).getFullYear();
}
