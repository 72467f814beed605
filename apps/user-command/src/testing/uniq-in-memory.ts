import type { Uniq } from '@millrace/uniq'
import type { UniqClient } from '../uniq-client.ts'

/** Uniq without a service around it: the guard alone, for tests. */
export function uniqInMemory(guard: Uniq): UniqClient {
  return {
    append: async (action, event, { fingerprint, expectedVersion } = {}) => {
      const [result] = await guard.append([
        {
          events: [event],
          ...(fingerprint === undefined ? {} : { fingerprint }),
          ...(expectedVersion === undefined ? {} : { expectedVersion }),
          ...(action === 'change' ? { skipUnchanged: true } : {}),
        },
      ])
      if (result?.status === 'refused') throw result.error
      if (result?.status === 'unchanged') return { status: 'unchanged', position: result.position }
      const position = result?.positions[0]
      if (!result || !position) throw new TypeError('no position')
      return result.status === 'appended'
        ? { status: 'appended', position, version: result.version }
        : { status: 'duplicate', position }
    },
    ownerOf: (constraint, values) => guard.ownerOf(constraint, values),
  }
}
