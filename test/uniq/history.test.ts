import { describe, expect, test } from 'vitest'
import { checkHistory, type Operation } from './history.ts'

const at = (
  account: string,
  action: Operation['action'],
  value: string | undefined,
  start: number,
  end: number,
  result: Operation['result'] = 'ok',
): Operation => ({
  account,
  action,
  ...(value === undefined ? {} : { value }),
  start,
  end,
  result,
})

describe('the checker of uniqueness histories', () => {
  test('finds nothing where nothing is', () => {
    const history = [
      at('a', 'create', 'x', 0, 10),
      at('b', 'create', 'x', 5, 15, 'claimed'),
      at('a', 'change', 'y', 20, 30),
      at('b', 'create', 'x', 25, 35),
      at('a', 'release', undefined, 40, 50),
      at('c', 'create', 'y', 45, 55),
    ]
    expect(checkHistory(history)).toEqual([])
  })

  test('sees two owners', () => {
    const history = [at('a', 'create', 'x', 0, 10), at('b', 'create', 'x', 20, 30)]
    expect(checkHistory(history)).toEqual([{ kind: 'two-owners', value: 'x', accounts: ['a', 'b'], at: 30 }])
  })

  test('sees two owners after a change that let go too early', () => {
    const history = [
      at('a', 'create', 'x', 0, 10),
      at('b', 'create', 'z', 0, 10),
      at('a', 'change', 'y', 20, 30, 'claimed'),
      at('b', 'change', 'x', 40, 50),
    ]
    expect(checkHistory(history).map(({ kind }) => kind)).toContain('two-owners')
  })

  test('an operation under way excuses what it overlaps', () => {
    expect(
      checkHistory([
        at('a', 'create', 'x', 0, 10),
        at('a', 'release', undefined, 20, 100),
        at('b', 'create', 'x', 30, 40),
      ]),
    ).toEqual([])
  })

  test('an unknown release may have happened, or not', () => {
    const start = [at('a', 'create', 'x', 0, 10), at('a', 'release', undefined, 20, 30, 'unknown')]
    expect(checkHistory([...start, at('b', 'create', 'x', 40, 50)])).toEqual([])
    expect(checkHistory([...start, at('b', 'create', 'x', 40, 50, 'claimed')])).toEqual([])
  })

  test('an unknown grant may have happened, or not, or late', () => {
    const start = [at('a', 'create', 'x', 0, 10, 'unknown')]
    expect(checkHistory([...start, at('b', 'create', 'x', 20, 30)])).toEqual([])
    expect(checkHistory([...start, at('b', 'create', 'x', 20, 30, 'claimed')])).toEqual([])
  })

  test('sees a refusal that nobody is behind', () => {
    expect(checkHistory([at('b', 'create', 'x', 20, 30, 'claimed')])).toEqual([
      { kind: 'refused-without-owner', value: 'x', accounts: ['b'], at: 20 },
    ])
    const gone = [
      at('a', 'create', 'x', 0, 10),
      at('a', 'release', undefined, 12, 15),
      at('b', 'create', 'x', 20, 30, 'claimed'),
    ]
    expect(checkHistory(gone)).toMatchObject([{ kind: 'refused-without-owner' }])
  })

  test('an account that repeats its own grant is no second owner', () => {
    expect(
      checkHistory([
        at('a', 'create', 'x', 0, 10),
        at('a', 'change', 'x', 20, 30),
        at('a', 'change', 'x', 40, 50),
      ]),
    ).toEqual([])
  })
})
