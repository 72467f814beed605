import { maskText } from '@millrace/event'
import { cut } from '../failure-facts.ts'
import type { NotedFact } from '../story/story-fact.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { WaitingEffect } from './waiting-effect.ts'

const mostText = 300

/** What is told of an effect that was carried out or given up; undefined for one of no event. */
export function effectEnded(
  { clock, member }: Pick<EngineSettings, 'clock' | 'member'>,
  { seq, name, idempotencyKey, failures, tries, begunMs }: WaitingEffect,
  to: 'confirmed' | 'dead',
): NotedFact | undefined {
  if (seq < 1) return undefined
  const atMs = Math.round(clock.now())
  const own = tries.slice(-failures - 1)
  const tookMs = Math.max(0, Math.round(atMs - Math.min(begunMs, ...own.map((one) => one.atMs))))
  const last = tries.at(-1)
  return {
    seq,
    fact: {
      ...{ what: 'effect-ended', atMs, member, name, idempotencyKey, to, attempts: failures + 1, tookMs },
      ...(last === undefined ? {} : { error: cut(maskText(last.error), mostText) }),
    },
  }
}
