import { MillraceError } from '@millrace/event'
import type { Commit } from '@millrace/processor'
import { expect } from 'vitest'
import type { GroupScripts } from '../../packages/redis/src/group-scripts.ts'
import { GroupLab } from './group-lab.ts'
import type { GuardScenario } from './guards.ts'

export type GroupScenario = GuardScenario<GroupLab>

/** Opens a lab with three events in two entries, 1 and 2 in the first, and a group that `one` leases. */
export const openLab = (url: () => string, script: keyof GroupScripts) => async (source: string) => {
  const lab = await GroupLab.open(url(), { [script]: source })
  await lab.append('a', 'b')
  await lab.append('a')
  await lab.lease()
  return { context: lab, close: async () => lab.close() }
}

/** The call is refused as a whole, and Redis holds what it held before, byte for byte. */
export async function expectRefused(
  lab: GroupLab,
  call: () => Promise<unknown>,
  fault?: string,
): Promise<void> {
  const before = await lab.dump()
  const error: unknown = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof MillraceError)) throw new Error('It was not refused')
  expect(fault === undefined ? error.code : error.details['fault']).toBe(fault ?? 'log.corrupt')
  expect(await lab.dump()).toEqual(before)
}

type Parts = (lab: GroupLab) => Partial<Commit>
type Before = (lab: GroupLab) => Promise<unknown>

/** The commit does not fit what is stored. */
export const refusal =
  (fault: string, seq: number, parts: Parts, before: Before = async () => undefined): GroupScenario =>
  async (lab) => {
    await before(lab)
    await expectRefused(lab, () => lab.commit(seq, parts(lab)), fault)
  }

/** A structure of a foreign type refuses the whole commit. */
export const wrongType =
  (name: keyof GroupLab['names'], parts: Parts, before: Before = async () => undefined): GroupScenario =>
  async (lab) => {
    await before(lab)
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => lab.commit(3, parts(lab)))
  }

/** The guards of standing.lua; `to` has a script find a position on the log. */
export function standingScenarios(
  to: (lab: GroupLab, position: { id: string; seq: number }) => Promise<unknown>,
): Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> {
  const at = (id: string) => ({ id, seq: Number(id.split('-')[1]) })
  return {
    'trimmed tip': {
      'a tip of another time is none, when all entries were trimmed': async (lab) => {
        await lab.redis.xtrim(lab.names.log, 'MAXLEN', 0)
        await expectRefused(lab, () => to(lab, at(`${lab.now + 1}-3`)), 'other')
      },
    },
    'missing event': {
      'a position that was removed between two entries is refused': async (lab) => {
        await lab.append('a')
        const { id } = lab.positions[2] ?? { id: '' }
        await lab.redis.xdel(lab.names.log, id)
        await expectRefused(lab, () => to(lab, at(id)), 'other')
      },
    },
    'other event': {
      'a position of the right number and a wrong time is refused': async (lab) => {
        await expectRefused(lab, () => to(lab, at(`${lab.now - 9}-2`)), 'other')
      },
    },
  }
}
