/**
 * Who owns a key among named members, the same in every process that knows the same names: the one whose hash with the
 * key is the highest. When a member comes or goes only the keys that it owns move. The hash is part of the mesh's
 * protocol: programs of two builds must agree.
 */
export function rendezvousOwner<M extends { readonly name: string }>(
  members: readonly M[],
  key: string,
): M | undefined {
  let owner = members[0];
  if (members.length < 2 || !owner) return owner;
  const keyHash = fnv1a(key, OFFSET);
  let best = weight(owner.name, keyHash);
  for (const member of members) {
    if (member === owner) continue;
    const own = weight(member.name, keyHash);
    if (own < best || (own === best && owner.name < member.name)) continue;
    owner = member;
    best = own;
  }
  return owner;
}

/** The members in the order in which they would own the key if those before them were gone. */
export function rendezvousOrder<M extends { readonly name: string }>(
  members: readonly M[],
  key: string,
): M[] {
  const keyHash = fnv1a(key, OFFSET);
  return members
    .map((member) => ({ member, own: weight(member.name, keyHash) }))
    .sort((a, b) => b.own - a.own || (a.member.name < b.member.name ? -1 : 1))
    .map(({ member }) => member);
}

const OFFSET = 0x811c9dc5;

function fnv1a(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** FNV alone leaves names that differ in the last letter too alike: murmur's last step spreads them. */
function weight(name: string, keyHash: number): number {
  let hash = fnv1a(name, keyHash);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
