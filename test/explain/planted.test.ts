import type { StoryFact } from '@millrace/processor'
import { intent } from '@millrace/processor/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GroupScripts, groupScripts } from '../../packages/redis/src/group-scripts.ts'
import { Keys } from '../../packages/redis/src/keys.ts'
import { scriptSource } from '../../packages/redis/src/script-source.ts'
import { StoriesOnRedis } from '../../packages/redis/src/stories-on-redis.ts'
import { GroupLab } from '../support/group-lab.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const told: StoryFact = { what: 'deferred', atMs: 1_700_000_000_000, member: 'one', why: 'it waits' }

/** Something happens to the first event that is to be told. */
interface Path {
  readonly script: keyof GroupScripts
  readonly file: string
  /** The line by which it is told. */
  readonly line: string
  readonly happens: (lab: GroupLab) => Promise<unknown>
  readonly what: StoryFact['what']
}

const ruling = { id: 'r1', kind: 'requeued', by: 'ada', reason: 'mended' } as const
const paths: readonly Path[] = [
  {
    script: 'commit',
    file: 'commit.lua',
    line: 'writeStory(c.story)',
    happens: (lab) => lab.commit(1, { facts: [{ seq: 1, fact: told }] }),
    what: 'deferred',
  },
  {
    script: 'confirm',
    file: 'confirm.lua',
    line: 'writeStory(story)',
    happens: async (lab) => {
      await lab.commit(1, { effects: [intent('x', 'a', 1)] })
      const change = { idempotencyKey: 'x', turn: 0, to: 'confirmed', fact: { seq: 1, fact: told } } as const
      await lab.store.confirmEffects(lab.at, lab.token, [change])
    },
    what: 'deferred',
  },
  {
    script: 'rule',
    file: 'rule.lua',
    line: 'tellRuling(r.story, now, on)',
    happens: async (lab) => {
      await lab.commit(1, { dead: [{ ...lab.letter(1), key: 'a' }] })
      await lab.store.rule(lab.at, { ...ruling, seq: 1, key: 'a' })
    },
    what: 'ruled',
  },
  {
    script: 'effectsRule',
    file: 'effects-rule.lua',
    line: "if facts.seq > 0 then tellRuling(r.story, now, 'effect') end",
    happens: async (lab) => {
      await lab.commit(1, { effects: [intent('x', 'a', 1)] })
      await lab.store.confirmEffects(lab.at, lab.token, [{ idempotencyKey: 'x', turn: 0, to: 'dead' }])
      await lab.store.ruleEffect(lab.at, { ...ruling, idempotencyKey: 'x' })
    },
    what: 'ruled',
  },
]

async function check({ script, happens, what }: Path, source: string): Promise<void> {
  const lab = await GroupLab.open(server?.url ?? '', { [script]: source })
  try {
    await lab.append('a')
    await lab.lease()
    await happens(lab)
    const given = { redis: lab.redis, scripts: groupScripts, keys: new Keys(), reach: 'slot' } as const
    const stories = new StoriesOnRedis({ ...given, now: () => lab.now })
    expect((await stories.facts(lab.at, [1])).get(1)).toMatchObject([{ what }])
  } finally {
    lab.close()
  }
}

describe.each(paths)('what $file brings about', (path) => {
  const source = scriptSource(path.file)
  test('is told', () => check(path, source))
  test('planted: a path that does not tell it turns red', async () => {
    expect(source).toContain(path.line)
    await expect(check(path, source.replace(path.line, ''))).rejects.toThrow()
  })
})
