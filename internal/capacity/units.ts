/** `3.65`, `1.5`, `312`: so many significant digits, none of them a zero behind the point. Thousands are grouped. */
export function figureText(value: number, digits = 3): string {
  if (value >= 10 ** digits) return countText(value);
  return String(Number(value.toPrecision(digits)));
}

/**
 * A count as people read it: whole, with commas; of what was none before, three significant digits. Beyond all reason
 * its power of ten.
 */
export function countText(value: number): string {
  if (value >= 1e14) return Number(value.toPrecision(3)).toExponential();
  const whole = Number.isInteger(value) ? value : Number(value.toPrecision(3));
  return Math.round(whole).toLocaleString("en");
}

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"] as const;

/** Bytes in the units that disks are sold by, powers of 1,000, to three significant digits: `3.65 PB`. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // Rounded first: 999.6 kB is 1 MB.
  for (; Number(value.toPrecision(3)) >= 1_000 && unit < BYTES.length - 1; unit++) value /= 1_000;
  return `${Number(value.toPrecision(3)).toLocaleString("en")} ${BYTES[unit]}`;
}
