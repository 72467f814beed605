import { setTimeout as delay } from 'node:timers/promises'
import { type Schema, topic } from '@millrace/event'
import { defineEffect, processor, state } from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { CrashPoint, Step } from './points.ts'

/** What an event says. The second of the key `a` fails until it is `mended`, or is tried often enough. */
export interface Placed {
  readonly n: number
  readonly mended?: boolean
}

const placed: Schema<Placed> = {
  '~standard': {
    version: 1,
    vendor: 'millrace-test',
    validate: (value) =>
      typeof value === 'object' && value !== null && 'n' in value
        ? { value: value as Placed }
        : { issues: [{ message: 'is no order' }] },
  },
}

/** The topic of one play. */
export const ordersOf = (name: string) => topic(name, { types: { Placed: placed }, partitions: 1 })

/** Name of the group. */
export const group = 'bill'

/** How often the second event of `a` fails before it is handled, where it is retried. */
const failures = 2

/** What each play keeps in Redis, beside what it is about. */
export const diaryOf = (name: string) => ({
  /** Which member handles a key just now. */
  running: (key: string) => `diary:${name}:running:${key}`,
  /** What was handled at once with another attempt of its key. */
  atOnce: `diary:${name}:at-once`,
  tries: (what: string) => `diary:${name}:tries:${what}`,
  /** Numbers of the effects that were carried out. */
  posted: `diary:${name}:posted`,
})

/**
 * The processor of a play: folds the numbers of each key, in order, and posts them. The key `c` always fails where keys
 * are held, so that one is parked whenever somebody dies.
 */
export function programOf(
  play: CrashPoint['play'],
  topicName: string,
  given: { readonly redis: Redis; readonly member: string; readonly step: (step: Step) => void },
) {
  const { redis, member, step } = given
  const diary = diaryOf(topicName)
  const orders = ordersOf(topicName)
  const post = defineEffect('post', {
    schema: placed,
    run: async ({ n, mended }) => {
      const tries = await redis.incr(diary.tries(`post ${n}`))
      step({ on: 'effect', name: `${n} ${tries}` })
      if (n === 2 && !mended) throw new Error('nobody lives there')
      await redis.rpush(diary.posted, n)
    },
  })
  return processor(group, orders, {
    state: state<readonly number[]>({ initial: () => [] }),
    effects: [post],
    onExhausted: play === 'late' ? 'skip-event' : 'hold-key',
    handle: async ({ subject: key, data }, context) => {
      const { n, mended } = data
      if ((await redis.set(diary.running(key), member, 'NX')) === null)
        await redis.rpush(diary.atOnce, `${key} ${n} by ${member}`)
      const tries = await redis.incr(diary.tries(`${key} ${n}`))
      // Long enough for somebody else to begin, if he may.
      await delay(2)
      step({ on: 'handler', name: `${key} ${n} ${tries}` })
      await redis.del(diary.running(key))
      if (key === 'c' && play !== 'late') throw new Error('never')
      const isHard = key === 'a' && n === 2 && !mended
      if (isHard && play === 'retried' && tries <= failures) throw new Error('not yet')
      if (isHard && (play === 'held' || play === 'late')) throw new Error('poison')
      context.evolve([...context.state, n])
      if (play === 'effect' && key === 'a') context.effect(post, data)
    },
  })
}
