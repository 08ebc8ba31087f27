import type { People } from "../model.ts";

/**
 * The first letter of a name on a disc whose colour is the id's own, the same everywhere; over it the picture of a user
 * who has one. `id`: a user's id, or the name of a group.
 */
export function Avatar(props: { id: string; people?: People | undefined; size?: "large" }) {
  const { id, people, size } = props;
  const letter = [...(people?.nameOf(id) ?? id)][0]?.toUpperCase() ?? "?";
  const picture = people?.pictureOf(id);
  return (
    <span class={`avatar hue-${hueOf(id)} ${size ?? ""}`} aria-hidden="true">
      <span>{letter}</span>
      {picture && (
        <img
          key={picture}
          src={picture}
          alt=""
          referrerpolicy="no-referrer"
          loading="lazy"
          // The letter is below it.
          onError={({ currentTarget }) => currentTarget.remove()}
        />
      )}
    </span>
  );
}

/** 0 … 7, spread evenly over names (FNV-1a). */
function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) & 7;
}
