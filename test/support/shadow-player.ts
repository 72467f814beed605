import type { GroupPartition, GroupStore } from '@millrace/processor'
import { taken } from '@millrace/processor/contract'
import { expect } from 'vitest'
import type { ShadowStep } from './group-history.ts'

/** What operators say of a shadow, as a history says. */
export function playShadow(
  store: GroupStore,
  at: GroupPartition,
  token: string,
  step: Exclude<ShadowStep, { do: 'seize' }>,
): Promise<unknown> {
  const said = { by: 'ada', reason: 'as "Zoë" \\ said' }
  switch (step.do) {
    case 'promote': {
      const { key, promoted, percent } = step
      return store.setShadow(at, { keys: [{ key, promoted }], percent, ...said })
    }
    case 'keep':
      return store.keepMigration(at, taken(step.key))
    case 'settle':
      return store.settleWithheld(at, { ids: step.ids, to: step.to, ...said })
    case 'drop': {
      const { keys, history } = step
      const timers = keys.slice(0, 1).map((key) => ({ key, name: 'v' }))
      return store.dropStates(at, token, { keys, history, timers, logged: history, named: '', ...said })
    }
  }
}

/** Takes the lease of both, whoever holds it, and answers the tokens. */
export async function seizeBoth(
  memory: GroupStore,
  redis: GroupStore,
  at: GroupPartition,
): Promise<[memory: string, redis: string]> {
  const inMemory = await memory.seize(at, 'dropper', 1_000)
  const onRedis = await redis.seize(at, 'dropper', 1_000)
  expect({ ...onRedis, token: '' }).toEqual({ ...inMemory, token: '' })
  return [inMemory.token, onRedis.token]
}
