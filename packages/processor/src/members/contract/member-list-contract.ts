import { testTopic } from '@millrace/log/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MemberGroup, type MemberList, mostMembers, silentKeptMs } from '../member-list.ts'
import { liveMembers } from '../member-state.ts'

/** A list of members to put through the suite. */
export interface MemberListUnderTest {
  readonly list: MemberList
  /** Turns its clock, also back. */
  readonly advance: (ms: number) => void
  close(): Promise<void>
}

const ttlMs = 10_000

const fresh = (): MemberGroup => ({ topic: testTopic({ partitions: 4 }), group: 'readers' })
const beat = (member: string, ...declines: number[]) => ({ member, ttlMs, declines })

/** What every list of members must do, whatever it is made of. Call it in a test file of the adapter. */
export function describeMemberListContract(name: string, open: () => Promise<MemberListUnderTest>): void {
  describe(`the member list contract on ${name}`, () => {
    let opened: MemberListUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The list under test is not open')
      return opened
    }
    const live = async (at: MemberGroup) =>
      liveMembers(await subject().list.look(at)).map(({ member }) => member)

    test('a heartbeat puts a member on the list, and later ones keep when it came', async () => {
      const { list, advance } = subject()
      const at = fresh()
      expect(await list.look(at)).toMatchObject({ members: [], assignment: { revision: 0, owners: [] } })
      const first = await list.heartbeat(at, beat('ann'))
      expect(first.members).toMatchObject([{ member: 'ann', ttlMs, declines: [], seenMs: first.nowMs }])
      advance(1_000)
      const later = await list.heartbeat(at, beat('ann', 1, 3))
      expect(later.members).toEqual([
        { member: 'ann', ttlMs, declines: [1, 3], sinceMs: first.nowMs, seenMs: first.nowMs + 1_000 },
      ])
      expect(await list.look(at)).toEqual(later)
    })

    test('members are listed by name, whatever the name is, each group for itself', async () => {
      const { list } = subject()
      const at = fresh()
      const names = ['Zoë', 'ann', 'b c', '"{}"', '1']
      for (const member of names) await list.heartbeat(at, beat(member))
      const { members } = await list.look(at)
      expect(members.map(({ member }) => member)).toEqual(names.toSorted())
      expect((await list.look({ ...at, group: 'others' })).members).toEqual([])
      await expect((async () => list.look({ ...at, group: 'No good' }))()).rejects.toThrow(TypeError)
    })

    test('who is not heard of for its time is silent, and live again with the next heartbeat', async () => {
      const { list, advance } = subject()
      const at = fresh()
      await list.heartbeat(at, beat('ann'))
      advance(ttlMs - 1)
      await list.heartbeat(at, beat('bob'))
      expect(await live(at)).toEqual(['ann', 'bob'])
      advance(1)
      expect(await live(at)).toEqual(['bob'])
      expect((await list.look(at)).members).toHaveLength(2)
      await list.heartbeat(at, beat('ann'))
      expect(await live(at)).toEqual(['ann', 'bob'])
    })

    test('a clock that goes back keeps nobody alive for longer than his time', async () => {
      const { list, advance } = subject()
      const at = fresh()
      await list.heartbeat(at, beat('ann'))
      advance(-3_600_000)
      expect(await live(at)).toEqual([])
      await list.heartbeat(at, beat('ann'))
      expect(await live(at)).toEqual(['ann'])
      advance(3_600_000)
    })

    test('who leaves is off the list at once; leaving twice does no harm', async () => {
      const { list } = subject()
      const at = fresh()
      await list.heartbeat(at, beat('ann'))
      await list.heartbeat(at, beat('bob'))
      expect((await list.leave(at, 'ann')).members).toMatchObject([{ member: 'bob' }])
      expect((await list.leave(at, 'ann')).members).toMatchObject([{ member: 'bob' }])
    })

    test('who has been silent for too long is taken out by the next heartbeat of another', async () => {
      const { list, advance } = subject()
      const at = fresh()
      await list.heartbeat(at, beat('ann'))
      advance(silentKeptMs)
      expect((await list.heartbeat(at, beat('bob'))).members).toHaveLength(2)
      advance(1)
      expect((await list.look(at)).members).toHaveLength(2)
      expect((await list.heartbeat(at, beat('bob'))).members).toMatchObject([{ member: 'bob' }])
    })

    test('the list has an end, which only new members meet', async () => {
      const { list, advance } = subject()
      const at = fresh()
      const names = Array.from({ length: mostMembers }, (_, index) => `m${index}`)
      await Promise.all(names.map((member) => list.heartbeat(at, beat(member))))
      await expect(list.heartbeat(at, beat('late'))).rejects.toMatchObject({ code: 'members.full' })
      expect((await list.heartbeat(at, beat('m7'))).members).toHaveLength(mostMembers)
      advance(silentKeptMs + 1)
      expect((await list.heartbeat(at, beat('late'))).members).toMatchObject([{ member: 'late' }])
    })

    test('an assignment stands under the next revision', async () => {
      const { list } = subject()
      const at = fresh()
      const owners = ['ann', 'bob', 'ann', 'Zoë "q"']
      expect((await list.assign(at, { revision: 0, owners })).assignment).toEqual({ revision: 1, owners })
      const next = owners.toReversed()
      expect((await list.assign(at, { revision: 1, owners: next })).assignment).toEqual({
        revision: 2,
        owners: next,
      })
      expect((await list.look(at)).assignment).toEqual({ revision: 2, owners: next })
    })

    test('of two that were made out of the same one the first stands, and the answer says so', async () => {
      const { list } = subject()
      const at = fresh()
      const first = await list.assign(at, { revision: 0, owners: ['ann'] })
      const second = await list.assign(at, { revision: 0, owners: ['bob'] })
      expect(second.assignment).toEqual(first.assignment)
      expect((await list.assign(at, { revision: 7, owners: ['bob'] })).assignment).toEqual(first.assignment)
    })
  })
}
