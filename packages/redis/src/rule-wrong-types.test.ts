import { isDeepStrictEqual } from 'node:util'
import type { MillraceError } from '@millrace/event'
import type { RuleRequest } from '@millrace/processor'
import { deferral, held } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab } from '../../../test/support/group-guards.ts'
import type { GroupLab } from '../../../test/support/group-lab.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys } from './keys.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const open = openLab(() => server?.url ?? '', 'rule')

const said = { id: 'r1', seq: 1, key: 'a', by: 'ada', reason: 'mended' } as const

/** What is ruled on, and how the group came to it. */
const subjects: Readonly<Record<string, [(lab: GroupLab) => Promise<unknown>, RuleRequest]>> = {
  'a head': [(lab) => lab.commit(3, { parks: [held('a', 1, 3, 1)] }), { ...said, kind: 'requeued' }],
  'an event in line': [
    (lab) => lab.commit(3, { parks: [held('a', 1, 3, 1)], defers: [{ key: 'b', events: [deferral(2)] }] }),
    { ...said, seq: 3, kind: 'ignored' },
  ],
  'a dead letter': [
    (lab) => lab.commit(3, { dead: [{ ...lab.letter(1), key: 'a' }] }),
    { ...said, kind: 'ignored' },
  ],
  'a letter to be handled late': [
    (lab) => lab.commit(3, { dead: [{ ...lab.letter(1), key: 'a' }] }),
    { ...said, kind: 'corrected', data: { n: 1 }, force: true },
  ],
}

test.each(Object.entries(subjects))(
  'a ruling on %s meets a foreign type in any key: all or nothing',
  async (_, subject) => {
    const [before, request] = subject
    const { context: probe, close } = await open(scriptSource('rule.lua'))
    const structures = Object.keys(probe.names) as (keyof GroupLab['names'])[]
    await close()
    const refusals: { readonly code: string; readonly untouched: boolean }[] = []
    for (const structure of [...structures, 'index'] as const) {
      const bench = await open(scriptSource('rule.lua'))
      const lab = bench.context
      await before(lab)
      const name = structure === 'index' ? new Keys().keyIndex(lab.topic, 0, 'a') : lab.names[structure]
      await lab.redis.set(name, 'foreign')
      const stored = await lab.dump()
      const failure = await lab.store.rule(lab.at, request).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure !== undefined)
        refusals.push({
          code: (failure as MillraceError).code,
          untouched: isDeepStrictEqual(await lab.dump(), stored),
        })
      await bench.close()
    }
    expect(refusals.length).toBeGreaterThanOrEqual(9)
    expect(refusals).toEqual(refusals.map(() => ({ code: 'log.corrupt', untouched: true })))
  },
)
