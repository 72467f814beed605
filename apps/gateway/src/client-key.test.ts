import { expect, it } from 'vitest'
import { clientKey } from './client-key.ts'

it('counts an IPv4 address as a client, however it is written', () => {
  expect(clientKey('192.0.2.7')).toBe('192.0.2.7')
  expect(clientKey('::ffff:192.0.2.7')).toBe('192.0.2.7')
})

it('counts a network of 64 bits as one client in IPv6', () => {
  const one = clientKey('2001:db8:1:2:3:4:5:6')
  expect(one).toBe('2001:db8:1:2::/64')
  expect(clientKey('2001:0DB8:0001:0002::9')).toBe(one)
  expect(clientKey('2001:db8:1:3::9')).not.toBe(one)
  expect(clientKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
  expect(clientKey('::1')).toBe('0:0:0:0::/64')
})

it('takes what is no address as it is', () => {
  expect(clientKey('local')).toBe('local')
})
