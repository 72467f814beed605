import type { GroupPartition, GroupStore } from '@millrace/processor'
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
    case 'settle':
      return store.settleWithheld(at, { ids: step.ids, to: step.to, ...said })
    case 'drop': {
      const { keys, history } = step
      const timers = keys.slice(0, 1).map((key) => ({ key, name: 'v' }))
      return store.dropStates(at, token, { keys, history, timers, logged: history, named: '', ...said })
    }
  }
}
