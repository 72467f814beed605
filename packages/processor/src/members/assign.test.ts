import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../../test/support/random.ts'
import { assign, type Candidate } from './assign.ts'

const seed = testSeed()

const candidate = (member: string, ...declines: number[]): Candidate => ({ member, declines })
const named = (names: readonly string[]) => names.map((name) => candidate(name))
const load = (owners: readonly string[], member: string) => owners.filter((owner) => owner === member).length
const moved = (before: readonly string[], after: readonly string[]) =>
  [...after.keys()].filter((partition) => before[partition] !== after[partition])

const partitionCount = fc.integer({ min: 1, max: 64 })
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 })

/** Members that came and went, in some order, and the assignment that came of it. */
const lived = fc
  .record({ partitions: partitionCount, all: names, comings: fc.array(fc.nat(), { maxLength: 20 }) })
  .map(({ partitions, all, comings }) => {
    let live: readonly string[] = [all[0] ?? 'first']
    let owners = assign(named(live), partitions)
    for (const coming of comings) {
      const name = all[coming % all.length] ?? ''
      const rest = live.filter((other) => other !== name)
      live = rest.length < live.length && rest.length > 0 ? rest : [...rest, name]
      owners = assign(named(live), partitions, owners)
    }
    return { partitions, live, owners }
  })

describe('an assignment', () => {
  test(`names one owner for every partition, and no load differs by more than one (seed ${seed})`, () => {
    fc.assert(
      fc.property(lived, ({ partitions, live, owners }) => {
        expect(owners).toHaveLength(partitions)
        expect(owners.every((owner) => live.includes(owner))).toBe(true)
        for (const member of live) {
          expect(load(owners, member)).toBeLessThanOrEqual(Math.ceil(partitions / live.length))
          expect(load(owners, member)).toBeGreaterThanOrEqual(Math.floor(partitions / live.length))
        }
      }),
      { seed },
    )
  })

  test(`moves partitions only to a member that comes, and no more than its share (seed ${seed})`, () => {
    fc.assert(
      fc.property(lived, fc.string(), ({ partitions, live, owners }, name) => {
        fc.pre(!live.includes(name))
        const after = assign(named([...live, name]), partitions, owners)
        const changed = moved(owners, after)
        expect(changed.every((partition) => after[partition] === name)).toBe(true)
        expect(changed).toHaveLength(Math.floor(partitions / (live.length + 1)))
      }),
      { seed },
    )
  })

  test(`moves only the partitions of a member that goes (seed ${seed})`, () => {
    fc.assert(
      fc.property(lived, fc.nat(), ({ partitions, live, owners }, nth) => {
        fc.pre(live.length > 1)
        const gone = live[nth % live.length]
        const after = assign(named(live.filter((name) => name !== gone)), partitions, owners)
        expect(moved(owners, after).every((partition) => owners[partition] === gone)).toBe(true)
      }),
      { seed },
    )
  })

  test(`stays as it is while the members stay, whoever computes it and in whatever order (seed ${seed})`, () => {
    fc.assert(
      fc.property(lived, ({ partitions, live, owners }) => {
        expect(assign(named(live.toReversed()), partitions, owners)).toEqual(owners)
      }),
      { seed },
    )
  })

  test(`is mended from anything: strange names, too few, too many (seed ${seed})`, () => {
    fc.assert(
      fc.property(
        partitionCount,
        names,
        fc.array(fc.string(), { maxLength: 80 }),
        (partitions, live, strange) => {
          const once = assign(named(live), partitions, strange)
          expect(once).toHaveLength(partitions)
          const loads = live.map((member) => load(once, member))
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
          expect(assign(named(live), partitions, once)).toEqual(once)
        },
      ),
      { seed },
    )
  })

  test(`takes a declined partition from its owner and moves nothing else, there and back (seed ${seed})`, () => {
    fc.assert(
      fc.property(lived, fc.nat(), ({ partitions, live, owners }, nth) => {
        fc.pre(live.length > 1)
        const partition = nth % partitions
        const decliner = owners[partition] ?? ''
        const declined = live.map((name) =>
          name === decliner ? candidate(name, partition) : candidate(name),
        )
        const after = assign(declined, partitions, owners)
        expect(moved(owners, after)).toEqual([partition])
        expect(assign(declined, partitions, after)).toEqual(after)
        // When it takes it again, at most one partition moves, and to it.
        const later = moved(after, assign(named(live), partitions, after))
        expect(later.length).toBeLessThanOrEqual(1)
      }),
      { seed },
    )
  })

  test('leaves what everybody declines where it is', () => {
    const owners = assign(named(['a', 'b']), 4)
    expect(assign([candidate('a', 0, 1, 2, 3), candidate('b', 0, 1, 2, 3)], 4, owners)).toEqual(owners)
    expect(assign([candidate('a', 2)], 4, ['a', 'a', 'a', 'a'])).toEqual(['a', 'a', 'a', 'a'])
  })

  test('names nobody when there is nobody', () => {
    expect(assign([], 4, ['a', 'a', 'a', 'a'])).toEqual([])
  })

  test('spreads groups of few partitions over all members, not always over the first', () => {
    const firsts = Array.from({ length: 400 }, (_, at) => {
      const live = ['a', 'b', 'c', 'd'].map((name) => `${name}-${at}`)
      return assign(named(live), 1)[0]?.slice(0, 1)
    })
    for (const name of ['a', 'b', 'c', 'd']) {
      const share = firsts.filter((first) => first === name).length
      // 100 of 400 expected, with a standard deviation of 8.7; the names are fixed, so this never wavers.
      expect(share).toBeGreaterThan(70)
      expect(share).toBeLessThan(130)
    }
  })
})
