import { expect, test } from 'vitest'
import { hunt, type Played } from './hunt.ts'
import { randomTestFiles } from './play-file.ts'

test('a hunt plays each file that draws with fresh seeds until its time is over, and brings what was red', async () => {
  let seeds = 0
  const told: string[] = []
  const play = async (file: string, seed: number): Promise<Played> => ({
    file,
    seed,
    tests: file === 'draws-not' ? 0 : 2,
    red: seed === 5 ? ['it is wrong'] : [],
  })
  const bag = await hunt({
    files: ['a', 'draws-not', 'b'],
    play,
    freshSeed: () => (seeds += 1),
    over: () => seeds === 7,
    say: (line) => told.push(line),
  })
  expect(told).toEqual([
    'a, seed 1: 2 green',
    'b, seed 3: 2 green',
    'a, seed 4: 2 green',
    'b, seed 5: RED\nit is wrong',
    'a, seed 6: 2 green',
    'b, seed 7: 2 green',
  ])
  expect(bag).toMatchObject({ played: 6, red: [{ file: 'b', seed: 5 }] })
})

test('files of tests that draw are found, also where a contract draws for them', () => {
  expect(randomTestFiles()).toEqual(
    expect.arrayContaining([
      'packages/redis/src/engine.test.ts',
      'packages/redis/src/group-equality.test.ts',
    ]),
  )
})
