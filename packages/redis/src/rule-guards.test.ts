import type { RuleRequest, RuleResult } from '@millrace/processor'
import { deferral, held, park } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { expectRefused, type GroupScenario, openLab } from '../../../test/support/group-guards.ts'
import type { GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { storyScenarios } from '../../../test/support/story-guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const said = { id: 'r1', seq: 1, key: 'a', kind: 'requeued', by: 'ada', reason: 'mended' } as const
const rule = (lab: GroupLab, parts: Partial<RuleRequest> = {}): Promise<RuleResult> =>
  lab.store.rule(lab.at, { ...said, ...parts })

/** Everything of the key `a` is settled; its first event is a dead letter. */
const withLetter = async (lab: GroupLab) => {
  await lab.commit(3, { dead: [{ ...lab.letter(1), key: 'a' }] })
}

/** The answer is this one, and Redis holds what it held before. */
const unchanged =
  (before: (lab: GroupLab) => Promise<unknown>, parts: Partial<RuleRequest>, answer: object): GroupScenario =>
  async (lab) => {
    await before(lab)
    const stored = await lab.dump()
    expect(await rule(lab, parts)).toMatchObject(answer)
    expect(await lab.dump()).toEqual(stored)
  }

const foreign =
  (name: keyof GroupLab['names'], parts: Partial<RuleRequest>): GroupScenario =>
  async (lab) => {
    await withLetter(lab)
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => rule(lab, parts))
  }

const open = openLab(() => server?.url ?? '', 'rule')

describeGuards('rule.lua', scriptSource('rule.lua'), open, {
  ...storyScenarios((lab) => rule(lab, { kind: 'ignored' }), withLetter),
  'type of dead-index': { 'a foreign index refuses the ruling': foreign('deadIndex', { kind: 'ignored' }) },
  'type of requeued': { 'foreign late letters refuse it': foreign('requeued', { force: true }) },
  'beyond the line': {
    'an event behind the line is not ruled on': unchanged(
      (lab) => lab.commit(2, { parks: [park('a', 1)] }),
      { seq: 3 },
      { status: 'gone' },
    ),
    'nor one before the head': unchanged(
      (lab) => lab.commit(3, { parks: [park('a', 3)] }),
      {},
      { status: 'gone' },
    ),
  },
  'of the key': {
    'an event of another key is not in the line': unchanged(
      (lab) => lab.commit(3, { parks: [park('a', 1, 3, 1)] }),
      { seq: 2 },
      { status: 'gone' },
    ),
  },
  'deferred is not in line': {
    'a deferred event is not in the line': unchanged(
      async (lab) => {
        await lab.append('a')
        await lab.commit(4, { parks: [park('a', 1, 4, 1)], defers: [{ key: 'a', events: [deferral(3)] }] })
      },
      { seq: 3 },
      { status: 'gone' },
    ),
  },
  'letter of the key': {
    'a letter is ruled on under its own key alone': unchanged(
      (lab) => lab.commit(3, { dead: [lab.letter(1)] }),
      { kind: 'ignored' },
      { status: 'gone' },
    ),
  },
  'repeated repair': {
    'the same request again is known, whatever has become of the event': unchanged(
      async (lab) => {
        await lab.commit(3, { parks: [held('a', 1, 3, 1)] })
        await rule(lab)
        await lab.commit(3, { parks: [{ ...held('a', 1, 3, 1), tried: true }] })
      },
      {},
      { status: 'already' },
    ),
  },
  'neither parked nor dead': {
    'what is settled is not ruled on': unchanged((lab) => lab.commit(3), {}, { status: 'gone' }),
  },
  'late already': {
    'a letter that waits for its late run is not put back twice': unchanged(
      async (lab) => {
        await withLetter(lab)
        await rule(lab, { force: true })
      },
      { id: 'r2' },
      { status: 'already' },
    ),
    'and not ruled otherwise': unchanged(
      async (lab) => {
        await withLetter(lab)
        await rule(lab, { force: true })
      },
      { id: 'r2', kind: 'ignored' },
      { status: 'pending', kind: 'requeued' },
    ),
  },
  'head that was seen': {
    'another head than the operator saw is not ruled on': unchanged(
      (lab) => lab.commit(3, { parks: [park('a', 1, 3, 1)] }),
      { parkNo: 7 },
      { status: 'changed', parkNo: 1 },
    ),
  },
  'same ruling': {
    'the same ruling by another request waits already': unchanged(
      async (lab) => {
        await lab.commit(3, { parks: [held('a', 1, 3, 1)] })
        await rule(lab)
      },
      { id: 'r2' },
      { status: 'already' },
    ),
  },
  force: {
    'what has been overtaken runs late by force alone': unchanged(
      withLetter,
      {},
      { status: 'overtaken', overtaken: { count: 1, first: 3, last: 3 } },
    ),
  },
  'dry run': {
    'a dry run changes nothing': unchanged(
      withLetter,
      { kind: 'ignored', dryRun: true },
      { status: 'ruled' },
    ),
  },
})
