/** The first letter of a name on a disc whose colour is the name's own, the same everywhere. */
export function Avatar({ name, size }: { name: string; size?: "large" }) {
  const letter = [...name][0]?.toUpperCase() ?? "?";
  return (
    <span class={`avatar hue-${hueOf(name)} ${size ?? ""}`} aria-hidden="true">
      {letter}
    </span>
  );
}

/** 0 … 7, spread evenly over names (FNV-1a). */
function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) & 7;
}
