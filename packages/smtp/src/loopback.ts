import { isIP } from 'node:net'

/** Whether a host name is this machine itself, so that a secret may go there without TLS. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}
