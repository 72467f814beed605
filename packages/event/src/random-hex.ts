import { randomBytes } from 'node:crypto'

// One call to the system's generator for many ids: each costs several microseconds, whatever its size.
const poolBytes = 4_096

let pool = ''
let at = 0

/** Random hexadecimal digits, at most 64. */
export function randomHex(digits: number): string {
  if (at + digits > pool.length) {
    pool = randomBytes(poolBytes).toString('hex')
    at = 0
  }
  at += digits
  return pool.slice(at - digits, at)
}
