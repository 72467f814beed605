import type { Commit, EffectChange } from '@millrace/processor'

/** A step that a process is about to make, or has made. */
export interface Step {
  /** What makes it: a call of the store or of the clock of retries, or an attempt of the handler or an effect. */
  readonly on: 'store' | 'clock' | 'handler' | 'effect'
  /** Name of the call; key and number of the event, or number of the effect. */
  readonly name: string
  readonly commit?: Commit
  readonly changes?: readonly EffectChange[]
}

/** Where a process kills itself. */
export interface CrashPoint {
  readonly what: string
  /** What is played: see `play.ts`. */
  readonly play: 'retried' | 'held' | 'late' | 'effect'
  /** Who dies: the member that works, or the process that an operator repairs from. */
  readonly who: 'member' | 'repairer'
  readonly when: 'before' | 'after'
  readonly at: (step: Step) => boolean
  /** One of those that are walked through with every run of the tests. */
  readonly quick: boolean
}

const call =
  (...names: readonly string[]) =>
  ({ on, name }: Step): boolean =>
    (on === 'store' || on === 'clock') && names.includes(name)
const parks =
  (fits: (one: NonNullable<Commit['parks']>[number]) => boolean) =>
  ({ commit }: Step): boolean =>
    commit?.parks?.some((one) => one.key === 'a' && fits(one)) ?? false
const parksFirst = parks(({ tried, note }) => tried === undefined && note.attempts > 0)
const parksAgain = parks(({ tried, note }) => tried === true && note.why === 'retry')
const holds = parks(({ note }) => note.why === 'operator')
const movesHead = parks(({ note }) => note.reason === 'in-line')
const unparks = ({ commit }: Step) => commit?.unparks?.some(({ key }) => key === 'a') ?? false
const settlesLate = ({ commit }: Step) => (commit?.late?.length ?? 0) > 0
const changes =
  (to: EffectChange['to'], turn: number) =>
  ({ changes: all }: Step): boolean =>
    all?.some((one) => one.to === to && one.turn === turn) ?? false
const attempts =
  (on: 'handler' | 'effect', name: string) =>
  (step: Step): boolean =>
    step.on === on && step.name === name

type Where = readonly [what: string, when: CrashPoint['when'], at: CrashPoint['at'], quick?: 'quick']
const pointsOf =
  (who: CrashPoint['who']) =>
  (play: CrashPoint['play'], ...all: readonly Where[]): readonly CrashPoint[] =>
    all.map(([what, when, at, quick]) => ({ what, play, who, when, at, quick: quick !== undefined }))
const member = pointsOf('member')
const repairer = pointsOf('repairer')

/** Every step of park, job creation, drain, unpark and repair, one by one. */
export const crashPoints: readonly CrashPoint[] = [
  ...member(
    'retried',
    ['park: before the commit', 'before', parksFirst],
    ['park: after the commit, before its job', 'after', parksFirst, 'quick'],
    ['job: before it is made', 'before', call('schedule')],
    ['job: after it is made', 'after', call('schedule'), 'quick'],
    ['due: before the mark', 'before', call('markDue')],
    ['due: after the mark', 'after', call('markDue'), 'quick'],
    ['due: before the marks are read', 'before', ({ name, on }) => on === 'store' && name === 'rulings'],
    ['run: inside of the second attempt', 'after', attempts('handler', 'a 2 2')],
    ['run: before the commit that parks again', 'before', parksAgain, 'quick'],
    ['run: after it', 'after', parksAgain],
    ['drain: inside of an event in line', 'after', attempts('handler', 'a 4 1'), 'quick'],
    ['drain: before the commit that moves the head', 'before', movesHead],
    ['drain: after it', 'after', movesHead, 'quick'],
    ['unpark: before the commit', 'before', unparks, 'quick'],
    ['unpark: after the commit', 'after', unparks],
    ['unpark: before its job is forgotten', 'before', call('cancel'), 'quick'],
    ['unpark: after its job is forgotten', 'after', call('cancel')],
  ),
  ...member(
    'held',
    ['hold: before the commit', 'before', holds],
    ['hold: after the commit', 'after', holds, 'quick'],
    ['repaired head: inside of its attempt', 'after', attempts('handler', 'a 2 3')],
    ['repaired head: before its commit', 'before', unparks],
    ['repaired head: after its commit', 'after', unparks],
  ),
  ...repairer(
    'held',
    ['repair of a key: before its first ruling', 'before', call('rule')],
    ['repair of a key: between line and head', 'after', call('rule'), 'quick'],
  ),
  ...member(
    'late',
    ['late run: before its commit', 'before', settlesLate, 'quick'],
    ['late run: after its commit', 'after', settlesLate],
  ),
  ...repairer(
    'late',
    ['repair of a dead letter: before', 'before', call('rule')],
    ['repair of a dead letter: after', 'after', call('rule')],
  ),
  ...member(
    'effect',
    ['effect: carried out, before it is confirmed', 'before', changes('confirmed', 0)],
    ['effect: before it is said to be dead', 'before', changes('dead', 0)],
    ['effect: after it is said to be dead', 'after', changes('dead', 0), 'quick'],
    ['effect put back: inside of its attempt', 'after', attempts('effect', '2 2')],
    ['effect put back: carried out, before it is confirmed', 'before', changes('confirmed', 2), 'quick'],
    ['effect put back: after it is confirmed', 'after', changes('confirmed', 2)],
  ),
  ...repairer(
    'effect',
    ['repair of an effect: before', 'before', call('ruleEffect')],
    ['repair of an effect: after', 'after', call('ruleEffect'), 'quick'],
  ),
]
