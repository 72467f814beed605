import type { Topic } from '@millrace/event'
import { beginning, type Position } from '@millrace/log'
import { happened, testTopic, unit } from '@millrace/log/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GroupPartition, GroupStore, Lease } from '../group-store.ts'
import { describeEffects } from './effects.ts'
import { describeEmitting } from './emitting.ts'
import { describeEmittingAtOnce } from './emitting-at-once.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { describeLedger } from './ledger.ts'
import { letter } from './parts.ts'
import { describeBrokenRepairs } from './broken-repairs.ts'
import { describeRepairer } from './repairer.ts'
import { describeRepairing } from './repairing.ts'
import { describeShadowing } from './shadowing.ts'
import { describeRepairingEffects } from './repairing-effects.ts'
import { describeStates } from './states.ts'
import { describeTiming } from './timing.ts'

export type { GroupStoreUnderTest } from './group-fixture.ts'

const leaseMs = 10_000

/** What every group store must do, whatever it is made of. Call it in a test file of the adapter. */
export function describeGroupStoreContract(name: string, open: () => Promise<GroupStoreUnderTest>): void {
  describe(`the group store contract on ${name}`, () => {
    let opened: GroupStoreUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The group store under test is not open')
      return opened
    }
    describeLeases(subject)
    describeCommits(subject)
    describeRefusals(subject)
    describeStates(subject)
    describeShadowing(subject)
    describeLedger(subject)
    describeEmitting(subject)
    describeEmittingAtOnce(subject)
    describeEffects(subject)
    describeTiming(subject)
    describeRepairing(subject)
    describeRepairingEffects(subject)
    describeRepairer(subject)
    describeBrokenRepairs(subject)
  })
}

/** A group of its own on a partition that has so many events. */
async function fresh(
  { log }: GroupStoreUnderTest,
  events = 0,
): Promise<{ at: GroupPartition; positions: readonly Position[] }> {
  const topic: Topic = testTopic({ partitions: 1 })
  const results = await log.append(
    topic,
    Array.from({ length: events }, (_, at) => unit(topic, `k${at % 3}`, { data: at })),
  )
  const positions = results.flatMap((result) => (result.status === 'appended' ? result.positions : []))
  return { at: { topic, partition: 0, group: 'readers' }, positions }
}

async function leased(store: GroupStore, at: GroupPartition, member = 'one'): Promise<Lease> {
  const lease = await store.acquire(at, member, leaseMs)
  if (!lease) throw new Error(`${member} did not get the lease`)
  return lease
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`There is no item ${index}`)
  return found
}

function describeLeases(subject: () => GroupStoreUnderTest): void {
  describe('leases', () => {
    test('the first to ask gets the lease, at the beginning of the partition', async () => {
      const { store } = subject()
      const { at: group } = await fresh(subject(), 3)
      const lease = await leased(store, group)
      expect(lease).toMatchObject({ position: { id: beginning, seq: 0 }, n: 0, ahead: [], tip: 3 })
      expect(await store.look(group)).toMatchObject({ member: 'one', deadLetters: 0 })
    })

    test('is never taken from a live holder, and at once when it lets go', async () => {
      const { store, advance } = subject()
      const { at: group } = await fresh(subject())
      const lease = await leased(store, group)
      expect(await store.acquire(group, 'two', leaseMs)).toBeUndefined()
      advance(leaseMs - 1)
      expect(await store.acquire(group, 'two', leaseMs)).toBeUndefined()
      expect(await store.release(group, lease.token)).toBe('released')
      expect(await leased(store, group, 'two')).toBeDefined()
    })

    test('a lapsed one goes to whoever asks, and the old token is fenced', async () => {
      const { store, advance } = subject()
      const { at: group, positions } = await fresh(subject(), 2)
      const old = await leased(store, group)
      advance(leaseMs)
      const lease = await leased(store, group, 'two')
      expect(lease.token).not.toBe(old.token)
      expect(await store.renew(group, old, leaseMs)).toEqual({ status: 'fenced' })
      expect(await store.release(group, old.token)).toBe('fenced')
      const commit = { n: 1, position: at(positions, 0), ahead: [], dead: [] }
      expect(await store.commit(group, { ...commit, token: old.token })).toEqual({ status: 'fenced' })
      expect(await store.commit(group, { ...commit, token: lease.token })).toMatchObject({
        status: 'committed',
      })
    })

    test('a renewal moves the deadline and answers the tip', async () => {
      const { log, store, advance } = subject()
      const { at: group } = await fresh(subject(), 1)
      const lease = await leased(store, group)
      await log.append(group.topic, [{ events: [happened(group.topic, 'k')] }])
      advance(leaseMs - 1)
      expect(await store.renew(group, lease, leaseMs)).toEqual({ status: 'renewed', tip: 2 })
      advance(leaseMs - 1)
      expect(await store.acquire(group, 'two', leaseMs)).toBeUndefined()
    })

    test('lapsed and taken by nobody, it can be renewed', async () => {
      const { store, advance } = subject()
      const { at: group } = await fresh(subject())
      const lease = await leased(store, group)
      advance(leaseMs * 5)
      expect(await store.renew(group, lease, leaseMs)).toMatchObject({ status: 'renewed' })
      expect(await store.acquire(group, 'two', leaseMs)).toBeUndefined()
    })

    test('a member that asks again gets a new token, and its old one is fenced', async () => {
      const { store } = subject()
      const { at: group } = await fresh(subject())
      const first = await leased(store, group)
      const second = await leased(store, group)
      expect(second.token).not.toBe(first.token)
      expect(await store.renew(group, first, leaseMs)).toEqual({ status: 'fenced' })
    })

    test('a renewal that does not know of a commit is fenced', async () => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 1)
      const lease = await leased(store, group)
      await store.commit(group, {
        token: lease.token,
        n: 1,
        position: at(positions, 0),
        ahead: [],
        dead: [],
      })
      expect(await store.renew(group, lease, leaseMs)).toEqual({ status: 'fenced' })
      expect(await store.renew(group, { ...lease, n: 1 }, leaseMs)).toMatchObject({ status: 'renewed' })
    })

    test('of many who ask at once one gets it', async () => {
      const { store } = subject()
      const { at: group } = await fresh(subject())
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.acquire(group, `m${index}`, leaseMs)),
      )
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
    })

    test('groups and partitions do not mix', async () => {
      const { store } = subject()
      const { at: group } = await fresh(subject())
      await leased(store, group)
      expect(await store.acquire({ ...group, group: 'others' }, 'two', leaseMs)).toBeDefined()
      await expect((async () => store.acquire({ ...group, group: 'No good' }, 'two', 1))()).rejects.toThrow(
        TypeError,
      )
    })
  })
}

function describeCommits(subject: () => GroupStoreUnderTest): void {
  describe('commits', () => {
    test('move the position, which the next owner starts from', async () => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 5)
      const { token } = await leased(store, group)
      for (const [index, position] of [at(positions, 1), at(positions, 3)].entries())
        expect(
          await store.commit(group, { token, n: index + 1, position, ahead: [], dead: [] }),
        ).toMatchObject({
          status: 'committed',
        })
      await store.release(group, token)
      const { id, seq } = at(positions, 3)
      expect(await leased(store, group, 'two')).toMatchObject({ position: { id, seq }, n: 2 })
    })

    test('the same one again is answered as done already and changes nothing', async () => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 2)
      const { token } = await leased(store, group)
      const commit = { token, n: 1, position: at(positions, 1), ahead: [], dead: [] }
      expect(await store.commit(group, commit)).toMatchObject({ status: 'committed' })
      const before = await store.look(group)
      expect(await store.commit(group, commit)).toMatchObject({ status: 'already' })
      expect(await store.look(group)).toEqual(before)
    })

    test('one that skips a number, or comes from before, is fenced', async () => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 3)
      const { token } = await leased(store, group)
      const commit = (n: number, index: number) =>
        store.commit(group, { token, n, position: at(positions, index), ahead: [], dead: [] })
      expect(await commit(2, 0)).toMatchObject({ status: 'fenced' })
      expect(await commit(1, 0)).toMatchObject({ status: 'committed' })
      expect(await commit(2, 1)).toMatchObject({ status: 'committed' })
      expect(await commit(1, 2)).toMatchObject({ status: 'fenced' })
      expect((await store.look(group)).position.seq).toBe(2)
    })

    test('a lapsed member whom nobody has replaced may commit; one that has let go may not', async () => {
      const { store, advance } = subject()
      const { at: group, positions } = await fresh(subject(), 2)
      const { token } = await leased(store, group)
      advance(leaseMs * 2)
      const commit = { token, n: 1, position: at(positions, 0), ahead: [], dead: [] }
      expect(await store.commit(group, commit)).toMatchObject({ status: 'committed' })
      await store.release(group, token)
      expect(await store.commit(group, { ...commit, n: 2 })).toMatchObject({ status: 'fenced' })
      expect(await store.commit(group, { ...commit, token: '', n: 2 })).toMatchObject({ status: 'fenced' })
    })

    test('keep what is settled beyond the position, and dead letters in the order of the log', async () => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 6)
      const { token } = await leased(store, group)
      const of = (index: number) => letter(at(positions, index).seq, at(positions, index).id)
      const first = { token, n: 1, position: { id: beginning, seq: 0 }, ahead: [3, 5], dead: [of(4)] }
      expect(await store.commit(group, first)).toMatchObject({ status: 'committed' })
      expect((await leased(store, group)).ahead).toEqual([3, 5])
      const { token: next } = await leased(store, group)
      const second = {
        token: next,
        n: 2,
        position: at(positions, 4),
        ahead: [],
        dead: [of(0), of(3)],
      }
      expect(await store.commit(group, second)).toMatchObject({ status: 'committed' })
      expect(await store.deadLetters(group)).toEqual([of(0), of(3), of(4)])
      expect(await store.deadLetters(group, { after: 1, limit: 1 })).toEqual([of(3)])
      expect(await store.look(group)).toMatchObject({ ahead: [], deadLetters: 3, n: 2 })
    })
  })
}

function describeRefusals(subject: () => GroupStoreUnderTest): void {
  describe('commits that do not fit the log', () => {
    test.each([
      ['behind the group', (positions: readonly Position[]) => at(positions, 0)],
      ['beyond the tip', () => ({ id: '99999999999999-9', seq: 9 })],
      ['of an event that the log does not have', ({ 3: last }: readonly Position[]) => otherId(last)],
    ])('one %s is refused, and nothing is written', async (_, positionIn) => {
      const { store } = subject()
      const { at: group, positions } = await fresh(subject(), 4)
      const { token } = await leased(store, group)
      await store.commit(group, { token, n: 1, position: at(positions, 1), ahead: [], dead: [] })
      const before = await store.look(group)
      const letter = { id: '1-1', seq: 1, key: 'k', type: 't', eventId: 'e', reason: 'r', message: 'm' }
      const commit = store.commit(group, {
        token,
        n: 2,
        position: positionIn(positions),
        ahead: [],
        dead: [{ ...letter, attempts: 1, atMs: 1 }],
      })
      await expect(commit).rejects.toMatchObject({ code: 'commit.refused' })
      expect(await store.look(group)).toEqual(before)
    })
  })
}

function otherId(position: Position | undefined): { id: string; seq: number } {
  const { id = '0-4', seq = 4 } = position ?? {}
  return { id: `${Number(id.slice(0, id.indexOf('-'))) - 1}-${seq}`, seq }
}
