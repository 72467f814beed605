import { deferral, held, intent, park } from '@millrace/processor/contract'
import type { MendPart } from '@millrace/processor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLab } from '../../../test/support/group-guards.ts'
import { draft, type GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const open = openLab(() => server?.url ?? '', 'mend')

const said = { by: 'ada', reason: 'the audit says so' } as const
const mend = (lab: GroupLab, part: MendPart, dryRun = false) =>
  lab.store.mend(lab.at, { ...said, part, dryRun })
const differences = async (lab: GroupLab) => (await lab.store.audit(lab.at)).findings

/** All that Redis holds but the audit log. */
async function dumpOfGroup(lab: GroupLab): Promise<unknown> {
  return Object.entries(await lab.dump()).filter(([name]) => name !== lab.names.repairs)
}

/** Something in every structure. */
async function fill(lab: GroupLab): Promise<void> {
  await lab.append('c', 'd', 'e')
  await lab.commit(6, {
    parks: [held('a', 1, 3, 1), park('c', 4)],
    dead: [lab.letter(2), lab.letter(5)],
    defers: [{ key: 'e', events: [deferral(6)] }],
    effects: ['x', 'y', 'z', 'dead', 'back'].map((id) => intent(id)),
    outbox: [draft(0, 'a')],
  })
  await lab.store.rule(lab.at, { id: 'r', seq: 5, key: 'k', kind: 'requeued', force: true, ...said })
  await lab.store.confirmEffects(lab.at, lab.token, [
    { idempotencyKey: 'y', turn: 0, to: 'parked' },
    { idempotencyKey: 'z', turn: 0, to: 'confirmed' },
    { idempotencyKey: 'dead', turn: 0, to: 'dead', note: { atMs: 7, fingerprint: 'f' } },
    { idempotencyKey: 'back', turn: 0, to: 'dead' },
  ])
  await lab.store.ruleEffect(lab.at, { id: 'e', idempotencyKey: 'back', kind: 'requeued', ...said })
}

type Damage = readonly [what: string, part: MendPart, (lab: GroupLab) => Promise<unknown>]

const damages: readonly Damage[] = [
  ['a lost head', 'indexes', ({ redis, names }) => redis.zrem(names.parkedHeads, 'a')],
  ['a lost list of first deferred events', 'indexes', ({ redis, names }) => redis.del(names.deferredHeads)],
  ['a lost index of dead letters', 'indexes', ({ redis, names }) => redis.del(names.deadIndex)],
  ['a lost set of effects', 'indexes', ({ redis, names }) => redis.del(names.effectsParked)],
  ['a lost index of dead effects', 'indexes', ({ redis, names }) => redis.del(names.effectsIndex)],
  ['a wrong count of done events', 'counters', ({ redis, names }) => redis.hincrby(names.group, 'done', 3)],
  [
    'a wrong count of parked keys',
    'counters',
    ({ redis, names }) => redis.hincrby(names.group, 'parked', -1),
  ],
  ['a wrong count of lines', 'counters', ({ redis, names }) => redis.hincrby(names.group, 'lined', 1)],
  ['a wrong count of effects', 'counters', ({ redis, names }) => redis.hincrby(names.group, 'e-recorded', 1)],
  [
    'a wrong count of the outbox',
    'counters',
    ({ redis, names }) => redis.hincrby(names.group, 'o-written', 1),
  ],
  ['a letter that was removed by hand', 'counters', ({ redis, names }) => redis.del(names.requeued)],
]

describe('damage that the audit finds', () => {
  test.each(damages)('%s is named and mended by %s', async (_, part, damage) => {
    const { context: lab, close } = await open(scriptSource('mend.lua'))
    await fill(lab)
    expect(await differences(lab)).toEqual([])
    await damage(lab)
    expect(await differences(lab)).toMatchObject([{ mend: part }, ...(await differences(lab)).slice(1)])
    expect(await mend(lab, part)).toMatchObject({ status: 'mended' })
    expect(await differences(lab)).toEqual([])
    expect((await lab.store.repairEntries(lab.at)).items[0]).toMatchObject({
      kind: 'mended',
      on: part,
      by: 'ada',
    })
    await close()
  })

  test('mending what is well changes nothing but the audit log', async () => {
    const { context: lab, close } = await open(scriptSource('mend.lua'))
    await fill(lab)
    const before = await dumpOfGroup(lab)
    for (const part of ['indexes', 'counters'] as const)
      expect(await mend(lab, part)).toEqual({ status: 'mended', moreDone: 0 })
    expect(await dumpOfGroup(lab)).toEqual(before)
    await close()
  })
})

describeGuards('mend.lua', scriptSource('mend.lua'), open, {
  'items of one step': {
    'too many items are left alone': async (lab) => {
      await fill(lab)
      const texts = Array.from(
        { length: 200_001 },
        (_, at) => [at + 10, `{"seq":${at + 10}}`] as const,
      ).flat()
      for (let at = 0; at < texts.length; at += 20_000)
        await lab.redis.zadd(lab.names.dead, ...texts.slice(at, at + 20_000))
      expect(await mend(lab, 'indexes')).toMatchObject({ status: 'large' })
    },
  },
  'mending dry': {
    'a dry run says what would be and changes nothing': async (lab) => {
      await fill(lab)
      await lab.redis.hincrby(lab.names.group, 'done', 3)
      const before = await lab.dump()
      expect(await mend(lab, 'counters', true)).toEqual({ status: 'mended', moreDone: -3 })
      expect(await lab.dump()).toEqual(before)
    },
  },
})
