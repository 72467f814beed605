import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../../test/support/random.ts'
import { IdleSlots } from './idle-slots.ts'
import { KeySlot } from './key-slot.ts'

const seed = testSeed()

/** The slots of a partition, idle when their commit is back. */
class Room {
  readonly slots = new Map<string, KeySlot>()
  readonly idle = new IdleSlots(this.slots)
  intake = 0

  /** A batch of events of these keys is taken in, and settled by the commit of the same number. */
  take(keys: readonly string[]): void {
    this.intake += 1
    for (const key of keys) {
      let slot = this.slots.get(key)
      if (slot === undefined) {
        slot = new KeySlot(key, this.intake)
        slot.phase = 'open'
        this.idle.came(slot)
      }
      slot.touched = this.intake
      slot.inCommit = this.intake
    }
  }

  evict(most: number, committed = this.intake): void {
    this.idle.evict({ most, committed, intake: this.intake })
  }

  get keys(): string {
    return [...this.slots.keys()].join('')
  }
}

test('while there is room, all stay', () => {
  const room = new Room()
  for (const key of ['a', 'b', 'c']) {
    room.take([key])
    room.evict(4)
  }
  expect(room.keys).toBe('abc')
})

test('beyond three quarters, who came once goes, and who comes again stays', () => {
  const room = new Room()
  for (const key of ['a', 'b', 'c', 'x', 'a', 'y', 'b', 'z', 'c', 'x']) {
    room.take([key])
    room.evict(4)
  }
  room.take([])
  room.evict(4)
  expect(room.keys).toBe('abc')
})

test('a newcomer that comes again before it is committed stays', () => {
  const room = new Room()
  room.take(['a', 'b', 'c'])
  room.evict(4)
  room.take(['x'])
  room.evict(4, 1)
  room.take(['x'])
  room.evict(4, 1)
  room.take([])
  room.evict(4)
  expect(room.keys).toBe('abcx')
})

test('nothing goes that a commit under way speaks of', () => {
  const room = new Room()
  for (const key of ['a', 'b', 'c', 'x', 'y', 'z']) {
    room.take([key])
    room.evict(4, 0)
  }
  expect(room.keys).toBe('abcxyz')
  room.take([])
  room.evict(4)
  expect(room.slots.size).toBe(3)
})

const names = Array.from({ length: 16 }, (_, n) => String.fromCodePoint(97 + n))

test(`any keys in any order: the room is not too full, and what is not committed is there (seed ${seed})`, () => {
  const batches = fc.array(fc.array(fc.constantFrom(...names), { maxLength: 5 }), { maxLength: 40 })
  fc.assert(
    fc.property(batches, fc.integer({ min: 0, max: 3 }), (histories, behind) => {
      const room = new Room()
      const last = new Map<string, number>()
      for (const keys of histories) {
        room.take(keys)
        for (const key of keys) last.set(key, room.intake)
        room.evict(8, room.intake - behind)
        const needed = [...last].filter(([, intake]) => intake > room.intake - Math.max(1, behind))
        expect([...room.slots.keys()]).toEqual(expect.arrayContaining(needed.map(([key]) => key)))
      }
      for (let later = 0; later <= behind; later++) room.take([])
      room.evict(8)
      expect(room.slots.size).toBeLessThanOrEqual(8)
    }),
    { seed },
  )
})
