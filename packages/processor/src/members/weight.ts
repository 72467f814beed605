/** Weighs a member for a partition: two independent hashes of 32 bits, compared as one number of 53 bits. */
export function weightOf(member: string, partition: number): number {
  const high = hashOf(member, partition, 0x811c9dc5)
  const low = hashOf(member, partition, 0x9e3779b9)
  // 2^53 is as far as a number is exact: 32 bits of the one, 21 of the other.
  return high * 2 ** 21 + (low >>> 11)
}

/** FNV-1a over the name, with the partition mixed in by murmur3's finisher before and after. */
function hashOf(text: string, partition: number, seed: number): number {
  let hash = mixed(seed ^ Math.imul(partition + 1, 0x9e3779b1))
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash) >>> 0
}

function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
