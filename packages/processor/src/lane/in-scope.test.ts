import { currentScope, keepScopes, runInScope, topic } from '@millrace/event'
import { map, tap } from 'rxjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { processor } from '../model/processor.ts'
import { bufferCount } from '../operators/buffer-count.ts'
import { durableDelay } from '../operators/durable-delay.ts'
import { mergeMap } from '../operators/merge-map.ts'
import { DurableRig } from '../testing/durable-rig.ts'
import { LaneRig } from '../testing/lane-rig.ts'

const things = topic('things', { types: { Made: z.object({ n: z.int() }) } })
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

let end: () => void
beforeEach(() => {
  end = keepScopes()
})
afterEach(() => end())

/** Whose scope is it now: the number of the event, by its correlation and causation id. */
function scopeIn(rig: LaneRig): number {
  const scope = currentScope()
  const at = rig.fed.findIndex(
    ({ event }) => event?.correlationid === scope?.correlationId && event?.id === scope?.causationId,
  )
  return at + 1
}

/** A handler that notes whose scope it is in, and awaits something where the test says so. */
function noting(awaits: (n: number) => boolean) {
  const seen: [n: number, scope: number][] = []
  const rig: LaneRig = new LaneRig(
    processor('noting', things, {
      handle: ({ data: { n } }) => {
        const note = () => seen.push([n, currentScope() === undefined ? 0 : scopeIn(rig)])
        if (!awaits(n)) {
          note()
          return
        }
        return (async () => {
          note()
          await turn()
          note()
        })()
      },
    }),
  )
  return { rig, seen }
}

test.each([
  ['at once', () => false, 4],
  ['later', () => true, 8],
])(
  'a handler that ends %s is in the scope of its event, from its first line to its last',
  async (_, awaits, lines) => {
    const { rig, seen } = noting(awaits)
    for (const n of [1, 2, 3, 4]) rig.feed('Made', { n })
    while (seen.length < lines) await turn()
    for (const [n, scope] of seen) expect(scope).toBe(n)
    expect(currentScope()).toBeUndefined()
  },
)

test('a handler that awaits now and then has its ids, but behind the first await of all', async () => {
  const { rig, seen } = noting((n) => n > 2)
  for (const n of [1, 2, 3, 4, 5]) rig.feed('Made', { n })
  while (seen.length < 8) await turn()
  expect(seen.filter(([n, scope]) => n !== scope)).toEqual([[3, 0]])
})

test('what operators keep goes on in the scope of the event that it comes from', async () => {
  const seen: [string, number][] = []
  const rig: LaneRig = new LaneRig(
    processor('keeping', things, {
      pipeline: (lane) =>
        lane.pipe(
          mergeMap(async ({ data }) => {
            await turn()
            seen.push(['inner', data.n - scopeIn(rig)])
            return data
          }),
          tap(({ n }) => seen.push(['outer', n - scopeIn(rig)])),
          map(({ n }) => n),
          bufferCount(2),
          tap((ns) => seen.push(['buffer', (ns.at(-1) ?? 0) - scopeIn(rig)])),
        ),
    }),
  )
  for (const n of [1, 2, 3, 4]) rig.feed('Made', { n })
  while (seen.length < 10) await turn()
  expect(seen.filter(([, difference]) => difference !== 0)).toEqual([])
  expect(new Set(seen.map(([where]) => where))).toEqual(new Set(['inner', 'outer', 'buffer']))
})

test('a timer that fires is in the scope of the event that has set it, also on another member', () => {
  const scopes: (string | undefined)[] = []
  const rig = new DurableRig((lane) =>
    lane.pipe(
      durableDelay('wait', 100),
      tap(() => scopes.push(currentScope()?.correlationId)),
    ),
  )
  const { event } = rig.feed('Made', 1)
  rig.restart()
  rig.pass(100)
  expect(scopes).toEqual([event?.correlationid])
})

test('a scope within another one is its own, and the other one goes on behind it', () => {
  const seen: (string | undefined)[] = []
  const rig = new LaneRig(
    processor('nested', things, {
      handle: () => {
        runInScope({ correlationId: 'inner' }, () => seen.push(currentScope()?.correlationId))
        seen.push(currentScope()?.correlationId === 'inner' ? 'wrong' : 'outer')
      },
    }),
  )
  for (const n of [1, 2]) rig.feed('Made', { n })
  expect(seen).toEqual(['inner', 'outer', 'inner', 'outer'])
})

test('where nobody keeps scopes there is none', () => {
  end()
  const { rig, seen } = noting(() => false)
  rig.feed('Made', { n: 1 })
  expect(seen).toEqual([[1, 0]])
})
