import { expect } from 'vitest'
import { call } from '../sign-up/system.ts'
import type { WholeSystem } from '../support/whole-system.ts'

/** Signs up at a system: somebody else each time. */
export function visitorsOf(system: WholeSystem): () => Promise<void> {
  let visitors = 0
  return async () => {
    const name = `visitor-${(visitors += 1)}`
    const body = { username: name, email: `${name}@example.org`, password: 'correct horse battery' }
    const { status } = await call(`${system.urlOf('GATEWAY')}/users`, 'POST', body)
    expect(status).toBe(201)
  }
}
