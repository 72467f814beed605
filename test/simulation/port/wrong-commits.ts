import type { Commit, ParkNote } from '@millrace/processor'
import type { Judge } from '../judge.ts'
import { unexplained } from './slot.ts'

type Change = (commit: Commit, judge: Judge) => Commit | undefined

const done = ({ done: count = 0 }: Commit, more: number): Pick<Commit, 'done'> => ({ done: count + more })
const isNamed = ({ parks = [], unparks = [], lines = [] }: Commit, key: string): boolean =>
  [...parks, ...unparks, ...lines].some((one) => one.key === key)

/** A parked key that the commit does not name, with somebody in line. */
function lineBeside(
  commit: Commit,
  judge: Judge,
): readonly [key: string, line: readonly number[]] | undefined {
  return [...judge.lines].find(([key, line]) => line.length > 1 && !isNamed(commit, key))
}

function parkOf(
  key: string,
  head: number,
  last: number,
  lined: number,
): NonNullable<Commit['parks']>[number] {
  const note: ParkNote = {
    ...unexplained,
    why: 'retry',
    id: '',
    type: '',
    eventId: '',
    attempts: 1,
    reason: '',
    message: '',
    sinceMs: 0,
  }
  return { key, head, last, lined, note }
}

/**
 * Ways in which a commit can be wrong, each in one way alone: what a broken engine, a broken wire or a record that was
 * set back would send. Undefined where the commit gives no occasion.
 */
export const changes: Readonly<Record<string, Change>> = {
  'says a number more is done': (commit) => ({ ...commit, ...done(commit, 1) }),
  'says a number less is done': (commit) =>
    (commit.done ?? 0) > 0 ? { ...commit, ...done(commit, -1) } : undefined,
  'skips a number': (commit) => ({ ...commit, n: commit.n + 1 }),
  'carries no token': (commit) => ({ ...commit, token: '' }),
  'stands at another time': (commit) => {
    const [ms = '', seq = ''] = commit.position.id.split('-')
    return seq === '0'
      ? undefined
      : { ...commit, position: { ...commit.position, id: `${Number(ms) - 1}-${seq}` } }
  },
  'is beyond the tip': (commit, judge) => {
    const seq = judge.askings.size + 1
    const before = commit.position.seq + commit.ahead.length
    return {
      ...commit,
      position: { id: `99999999999999-${seq}`, seq },
      ahead: [],
      ...done(commit, seq - before),
    }
  },
  'settles ahead what is not there': (commit, judge) => ({
    ...commit,
    ahead: [...commit.ahead, judge.askings.size + 1],
    ...done(commit, 1),
  }),
  'goes back': (commit, judge) => {
    const seq = judge.position - 1
    const id = judge.askings.get(seq)?.id
    if (id === undefined) return undefined
    const between = Array.from({ length: commit.position.seq - seq }, (_, at) => seq + 1 + at)
    return { ...commit, position: { id, seq }, ahead: [...between, ...commit.ahead] }
  },
  'forgets what was settled': (commit, judge) => {
    const forgotten = judge.ahead.find((seq) => seq > commit.position.seq)
    if (forgotten === undefined || (commit.done ?? 0) < 1) return undefined
    return { ...commit, ahead: commit.ahead.filter((seq) => seq !== forgotten), ...done(commit, -1) }
  },
  'unparks a key before its line is empty': (commit, judge) => {
    const [key, line] = lineBeside(commit, judge) ?? []
    if (key === undefined || line?.[0] === undefined) return undefined
    const unparks = [...(commit.unparks ?? []), { key, last: line[0] }]
    return { ...commit, unparks, ...done(commit, line.length) }
  },
  'unparks a key that is not parked': (commit) => ({
    ...commit,
    unparks: [...(commit.unparks ?? []), { key: 'nobody', last: 1 }],
    ...done(commit, 1),
  }),
  'sets the end of a line back': (commit, judge) => {
    const [key, line] = lineBeside(commit, judge) ?? []
    const [head] = line ?? []
    if (key === undefined || line === undefined || head === undefined) return undefined
    const [last = head] = line.slice(-2)
    return {
      ...commit,
      parks: [...(commit.parks ?? []), parkOf(key, head, last, line.length - 2)],
      ...done(commit, 1),
    }
  },
  'sets a head back': (commit, judge) => {
    const [key, line] = [...judge.lines].find(([one]) => !isNamed(commit, one)) ?? []
    const [head = 1] = line ?? []
    const last = line?.at(-1) ?? 1
    if (key === undefined || line === undefined || head < 2) return undefined
    // The line of one has to grow, so that head and last can differ.
    const more = line.length === 1 ? 1 : 0
    const parks = [...(commit.parks ?? []), parkOf(key, head - 1, last, line.length - 1 + more)]
    return (commit.done ?? 0) < more ? undefined : { ...commit, parks, ...done(commit, -more) }
  },
  'lengthens the line of a key that is not parked': (commit) =>
    (commit.done ?? 0) > 0
      ? {
          ...commit,
          lines: [...(commit.lines ?? []), { key: 'nobody', last: 2, lined: 1 }],
          ...done(commit, -1),
        }
      : undefined,
  'sets the end of a line back and calls it longer': (commit, judge) => {
    const [key, line] = lineBeside(commit, judge) ?? []
    const [last] = line?.slice(-2) ?? []
    if (key === undefined || line === undefined || last === undefined) return undefined
    const lines = [...(commit.lines ?? []), { key, last, lined: line.length - 2 }]
    return line.length > 2 ? { ...commit, lines, ...done(commit, 1) } : undefined
  },
  'settles late what nobody has put back': (commit, judge) => {
    const [seq] = [...judge.places].find(([, place]) => place === 'done') ?? []
    if (seq === undefined || commit.late?.includes(seq)) return undefined
    return { ...commit, late: [...(commit.late ?? []), seq].toSorted((a, b) => a - b), ...done(commit, 1) }
  },
  'takes a key over twice': (commit, judge) => {
    const [key, state] = [...judge.folds.migrated].at(-1) ?? []
    if (key === undefined || commit.migrations?.some((one) => one.key === key)) return undefined
    const entry = {
      key,
      seq: 0,
      id: undefined,
      atMs: 0,
      asOf: undefined,
      version: 1,
      state: JSON.stringify(state),
    }
    return { ...commit, migrations: [...(commit.migrations ?? []), entry] }
  },
  'buries an event twice': (commit, judge) => {
    const [seq] = [...judge.places].find(([one, place]) => place === 'dead' && one <= judge.position) ?? []
    const asking = seq === undefined ? undefined : judge.askings.get(seq)
    if (!asking || (commit.done ?? 0) < 1 || commit.dead.some((letter) => letter.seq === seq))
      return undefined
    const { id, key } = asking
    const letter = {
      id,
      seq: asking.seq,
      key,
      type: 'Asked',
      eventId: '',
      reason: '',
      message: '',
      attempts: 1,
      atMs: 0,
    }
    return { ...commit, dead: [...commit.dead, letter], ...done(commit, -1) }
  },
  'fires a timer that is not set': (commit) => ({
    ...commit,
    firings: [...(commit.firings ?? []), { key: 'nobody', name: 'w', dueMs: 1, afterSeq: 0 }],
  }),
}
