import { expect, it } from 'vitest'
import { keyOfAddress } from './client-key.ts'

it('counts an IPv4 address as a client, however it is written', () => {
  expect(keyOfAddress('192.0.2.7')).toBe('192.0.2.7')
  expect(keyOfAddress('::ffff:192.0.2.7')).toBe('192.0.2.7')
})

it('counts a network of 64 bits as one client in IPv6', () => {
  const one = keyOfAddress('2001:db8:1:2:3:4:5:6')
  expect(one).toBe('2001:db8:1:2::/64')
  expect(keyOfAddress('2001:0DB8:0001:0002::9')).toBe(one)
  expect(keyOfAddress('2001:db8:1:3::9')).not.toBe(one)
  expect(keyOfAddress('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
  expect(keyOfAddress('::1')).toBe('0:0:0:0::/64')
})

it('takes what is no address as it is', () => {
  expect(keyOfAddress('local')).toBe('local')
})
