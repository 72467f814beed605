import type { GenerationStore } from '@millrace/processor'
import { watched } from '../simulated-server.ts'
import type { Process } from './network.ts'

/** The calls with which states are dropped, as a process sends them. */
export function remote(process: Process, store: GenerationStore): GenerationStore {
  const unknown = 'commit.unknown'
  return watched(store, {
    seize: (at, member, leaseMs) => process.call('seize', () => store.seize(at, member, leaseMs), unknown),
    renew: (at, lease, leaseMs) => process.call('renew', () => store.renew(at, lease, leaseMs), unknown),
    release: (at, token) => process.call('release', () => store.release(at, token), unknown),
    dropStates: (at, token, drop) =>
      process.call('dropStates', () => store.dropStates(at, token, drop), unknown, drop),
    loadStates: (at, keys) => process.call('loadStates', () => store.loadStates(at, keys), 'log.unavailable'),
    statesPage: (at, options) =>
      process.call('statesPage', () => store.statesPage(at, options), 'log.unavailable'),
  })
}
