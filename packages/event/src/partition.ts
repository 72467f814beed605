const encoder = new TextEncoder()

/**
 * The partition of a key: FNV-1a over its UTF-8 bytes, finished with murmur3's mixer so that keys which
 * differ in their last digit spread. Must never change: it decides where a key's history lies.
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    // Nearly every key is ASCII, where the UTF-16 units are the bytes.
    if (code > 0x7f) return mixed(hashOf(encoder.encode(key)), partitions)
    hash = Math.imul(hash ^ code, 0x01000193)
  }
  return mixed(hash, partitions)
}

function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

function mixed(value: number, partitions: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions
}
