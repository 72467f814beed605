import { describe, expect, it } from 'vitest'
import { compared } from './restocking-seen.ts'
import { type DayShown, verdictOn } from './restocking-verdict.ts'

const same = (counts: Record<string, number>) => ({ expected: counts, found: counts })
const good: DayShown = {
  events: { expected: { StockLevelChanged: 9 }, found: { StockLevelChanged: 9, OrderLineSeen: 40 } },
  suggested: same({ cancel: 2 }),
  dead: same({ 'event.invalid': 1 }),
  refused: same({ 'type.unknown': 1 }),
  carried: { expected: 3, completed: 3 },
  mails: { expected: 3, found: 3, twice: 0 },
  suggestions: [],
}

describe('the verdict on a day', () => {
  it('is good when everything is as it must be; what the system made of the events may be any number', () => {
    const { rows, differences } = verdictOn(good)
    expect(differences).toEqual([])
    expect(rows.map(({ name }) => name)).toEqual([
      'StockLevelChanged',
      'suggested: cancel',
      'dead letters: event.invalid',
      'refused at the door: type.unknown',
      'clicks completed',
      'mails sent',
      'mails sent twice',
    ])
    expect(verdictOn({ ...good, mails: undefined }).differences).toEqual([])
  })

  it.each<[string, Partial<DayShown>]>([
    [
      'StockLevelChanged: 8, not 9',
      { events: { expected: { StockLevelChanged: 9 }, found: { StockLevelChanged: 8 } } },
    ],
    ['StockLevelChanged: 0, not 9', { events: { expected: { StockLevelChanged: 9 }, found: {} } }],
    ['suggested: keep: 1, not 0', { suggested: { expected: { cancel: 2 }, found: { cancel: 2, keep: 1 } } }],
    ['dead letters: internal: 1, not 0', { dead: { expected: {}, found: { internal: 1 } } }],
    ['dead letters: event.invalid: 0, not 1', { dead: { expected: { 'event.invalid': 1 }, found: {} } }],
    ['refused at the door: taken: 1, not 0', { refused: { expected: {}, found: { taken: 1 } } }],
    ['clicks completed: 2, not 3', { carried: { expected: 3, completed: 2 } }],
    ['mails sent: 2, not 3', { mails: { expected: 3, found: 2, twice: 0 } }],
    ['mails sent twice: 1, not 0', { mails: { expected: 3, found: 3, twice: 1 } }],
    ['O1.1.v1.cancel is not suggested', { suggestions: ['O1.1.v1.cancel is not suggested'] }],
  ])('planted: %s', (difference, planted) => {
    expect(verdictOn({ ...good, ...planted }).differences).toEqual([difference])
  })
})

describe('suggestions beside the rules', () => {
  const wanted = new Map([
    ['O1.1.v1.cancel', { kind: 'cancel', proposedDueOn: undefined }],
    ['O2.1.v1.postpone', { kind: 'postpone', proposedDueOn: '2027-01-02' }],
  ])
  const cancel = { id: 'O1.1.v1.cancel', kind: 'cancel', status: 'open' }
  const postpone = { id: 'O2.1.v1.postpone', kind: 'postpone', status: 'open', proposedDueOn: '2027-01-02' }

  it('are the same, and what has ended is not looked at', () => {
    const ended = ['completed', 'withdrawn', 'dismissed'].map((status) => ({ ...cancel, id: status, status }))
    expect(compared(wanted, [cancel, postpone, ...ended])).toEqual({
      differences: [],
      kinds: { cancel: 1, postpone: 1 },
    })
  })

  it.each([
    ['O2.1.v1.postpone is not suggested', [cancel]],
    ['O2.1.v1.postpone is not suggested', [cancel, { ...postpone, status: 'withdrawn' }]],
    [
      'O2.1.v1.postpone suggests 2027-01-03, not 2027-01-02',
      [cancel, { ...postpone, proposedDueOn: '2027-01-03' }],
    ],
    [
      'O3.1.v1.cancel is open, and nothing is to be suggested',
      [cancel, postpone, { ...cancel, id: 'O3.1.v1.cancel' }],
    ],
    [
      'O3.1.v1.cancel is in-progress, and nothing is to be suggested',
      [cancel, postpone, { ...cancel, id: 'O3.1.v1.cancel', status: 'in-progress' }],
    ],
  ])('planted: %s', (difference, all) => {
    expect(compared(wanted, all).differences).toContain(difference)
  })
})
