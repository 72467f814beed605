import type { NotedFact } from '@millrace/processor'
import { Keys, type StoryKeys } from '../../packages/redis/src/keys.ts'
import { expectRefused, type GroupScenario } from './group-guards.ts'
import type { GroupLab } from './group-lab.ts'
import { rulingScenarios } from './ruling-guards.ts'

/** A fact about the first event. */
export const aFact: NotedFact = {
  seq: 1,
  fact: { what: 'deferred', atMs: 1_700_000_000_000, member: 'one', why: 'waits for "Zoë" \\' },
}

/** A structure of facts of a foreign type refuses the whole call. */
const foreignStory =
  (
    name: keyof StoryKeys,
    call: (lab: GroupLab) => Promise<unknown>,
    before: (lab: GroupLab) => Promise<unknown>,
  ): GroupScenario =>
  async (lab) => {
    await before(lab)
    const key = new Keys().story(lab.topic, 0, lab.at.group)[name]
    await lab.redis.set(key, 'foreign')
    await expectRefused(lab, () => call(lab))
  }

function commitAFact(lab: GroupLab): Promise<unknown> {
  return lab.commit(3, { facts: [aFact], settled: { atMs: 1_700_000_000_000, member: 'one' } })
}

/** The guards of story-facts.lua, in a script that notes something by this call. */
export function storyScenarios(
  call: (lab: GroupLab) => Promise<unknown>,
  before: (lab: GroupLab) => Promise<unknown>,
): Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> {
  return {
    'type of story': { 'foreign facts refuse the call': foreignStory('facts', call, before) },
    'type of story-times': { 'foreign times of facts refuse the call': foreignStory('times', call, before) },
  }
}

/** The guards of what commit.lua notes of events: rulings, facts, marks. */
export const notedScenarios: Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> = {
  ...rulingScenarios,
  ...storyScenarios(commitAFact, async () => undefined),
  'type of story-marks': {
    'foreign marks refuse the commit': foreignStory('marks', commitAFact, async () => undefined),
  },
}
