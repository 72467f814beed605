import { isIPv6 } from 'node:net'
import { addressOf, type KitContext } from '@millrace/hono'

/** The client's address, seen past so many proxies of one's own. */
export function clientAddress(c: KitContext, proxies: number): string {
  const passed = (c.req.header('x-forwarded-for') ?? '').split(',').map((part) => part.trim())
  const seen = proxies > 0 ? passed.at(-proxies) : undefined
  // A request that went past the proxies has too few entries: then the connection itself is the client's.
  return seen === undefined || seen === '' ? addressOf(c) : seen
}

/**
 * What counts as one client: an IPv4 address, or the /64 that a provider gives to one customer in IPv6, where
 * each has more addresses than there are buckets.
 */
export function clientKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const plain = address.replace(/%.*$/, '')
  return isIPv6(plain) ? `${firstGroups(plain).join(':')}::/64` : address
}

function firstGroups(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
}
