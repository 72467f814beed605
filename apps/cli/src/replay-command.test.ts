import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { newEvent, topic } from '@millrace/event'
import { processor, run, state } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { millraceProcess } from './testing/millrace.ts'

const packages = path.join(import.meta.dirname, '../../../packages')
const counted = topic('counted', { types: { Counted: z.object({ n: z.int() }) }, partitions: 2 })
const sums = processor('sums', counted, {
  state: state({ initial: () => ({ sum: 0, mail: '' }) }),
  handle: ({ data, subject }, context) =>
    context.evolve({ sum: context.state.sum + data.n, mail: `${subject}@example.org` }),
})

let redis: TestRedis
let log: RedisLog
let store: RedisGroupStore
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-replay-'))
  redis = await startRedis()
  log = await connectLog({ url: redis.url })
  store = await connectGroupStore({ url: redis.url })
  const units = Array.from({ length: 600 }, (_, at) => ({
    events: [newEvent(counted, { type: 'Counted', key: `k${at % 30}`, data: { n: 1 } })],
  }))
  await log.append(counted, units)
  const running = await run(sums, { log, store })
  const settled = async () => {
    const tips = await log.tips(counted)
    const looks = await Promise.all(
      tips.map(({ partition }) => store.look({ topic: counted, partition, group: 'sums' })),
    )
    return looks.every(({ position }, at) => position.seq === tips[at]?.seq)
  }
  while (!(await settled())) await new Promise((resolve) => setTimeout(resolve, 20))
  await running.stop()
})

afterAll(async () => {
  await store.close()
  await log.close()
  await redis.stop()
  rmSync(directory, { recursive: true })
})

const replaying = (file: string, options = '') =>
  millraceProcess(`replay ${file}${options}`, { REDIS_URL: redis.url })

/** A file with the processor, of which every event counts `worth`. */
function written(worth: number, more = ''): string {
  const file = path.join(directory, `sums-${Math.random().toString(36).slice(2)}.ts`)
  writeFileSync(
    file,
    `import { topic } from '${packages}/event/src/index.ts'
import { processor, state } from '${packages}/processor/src/index.ts'
const data = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
const counted = topic('counted', { types: { Counted: data }, partitions: 2 })
export const sums = processor('sums', counted, {
  state: state({ initial: () => ({ sum: 0, mail: '' }) }),
  handle: ({ data, subject }, context) => {
    ${more}
    context.evolve({ sum: context.state.sum + (subject === 'k7' ? ${worth} : 1), mail: subject + '@example.org' })
  },
})
`,
  )
  return file
}

const sumOf = async (key: string): Promise<number> => {
  for (const partition of [0, 1]) {
    const [stored] = await store.loadStates({ topic: counted, partition, group: 'sums' }, [key])
    if (stored?.state) return (JSON.parse(stored.state.state) as { sum: number }).sum
  }
  return 0
}

describe('millrace replay', () => {
  test('says what it would do, and does nothing without --yes', async () => {
    const { code, stdout, stderr } = await replaying(written(2), ' --switch')
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toContain('Would fold 600 events of counted by sums')
    expect(stderr).toContain('Nothing was done.')
    expect(await sumOf('k7')).toBe(20)
  })

  test('compares, switches, and drops', async () => {
    const file = written(2)
    const compared = await replaying(file, ' --compare --yes')
    expect(compared.stderr).toMatch(/Replaying: \d+ of 600/)
    expect(compared.stderr).toContain('Keys the same: 29; different: 1;')
    expect(compared.stdout).toMatch(/^k7 \(partition \d\)\n  state\.sum: 20 → 40\n$/)
    expect(compared.code).toBe(1)
    expect(await sumOf('k7')).toBe(20)
    const switched = await replaying(file, ' --switch --yes --json')
    expect(JSON.parse(switched.stdout)).toMatchObject({
      generation: 1,
      folded: 0,
      resumed: 600,
      switched: true,
    })
    expect(switched.code).toBe(0)
    expect(await sumOf('k7')).toBe(40)
    const kept = await replaying(written(3), ' --yes')
    expect(kept.stderr).toContain('Generation 2 lies beside the live one')
    const dropped = await replaying(file, ' --drop --yes')
    expect([dropped.code, dropped.stderr]).toEqual([0, 'The generation beside sums is removed.\n'])
    expect(await sumOf('k7')).toBe(40)
  })

  test('texts of states are masked where they differ', async () => {
    const file = written(
      1,
      `if (subject === 'k3') return context.evolve({ sum: 1, mail: 'eve@example.com' })`,
    )
    const { stdout } = await replaying(file, ' --compare --yes')
    expect(stdout).toContain('state.mail:')
    expect(stdout).not.toContain('eve@')
    await replaying(file, ' --drop --yes')
  })

  test.each([
    ['is not there', undefined, '', 'There is no file', 2],
    ['exports no processor', 'export const n = 1', '', 'exports no processor', 2],
    ['exports another one', '', ' --processor other', 'exports no processor "other"; it exports sums', 2],
    [
      'cannot handle an event',
      `if (subject === 'k9') throw new Error('no such field')`,
      '',
      /Key k9, counted\/\d\/\d+-\d+: no such field/,
      1,
    ],
  ])('a file that %s is told in one sentence', async (_what, source, options, sentence, expected) => {
    const file = source?.startsWith('export') ? path.join(directory, 'none.ts') : written(1, source)
    if (source?.startsWith('export')) writeFileSync(file, source)
    const given = source === undefined ? '/nowhere.ts' : file
    const { code, stdout, stderr } = await replaying(given, `${options} --yes`)
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toContain('    at ')
    expect([code, stdout]).toEqual([expected, ''])
  })
})
