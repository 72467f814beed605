import { MillraceError } from '@millrace/event'
import {
  type Assignment,
  type Heartbeat,
  type ListedMember,
  type MemberGroup,
  type MembersView,
  mostMembers,
  silentKeptMs,
} from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const memberScript = new Script('member.lua')

type Reply = readonly [word: 'seen', now: string, revision: string, owners: string, list: readonly string[]]

/** What is asked of the list of members. */
export type MemberCall =
  | ({ readonly word: 'heartbeat' } & Heartbeat)
  | { readonly word: 'look' }
  | { readonly word: 'leave'; readonly member: string }
  | ({ readonly word: 'assign' } & Assignment)

/** Runs one call on a group's list of members, and answers the list as it is then. */
export async function callMembers(
  redis: Redis,
  keys: Keys,
  at: MemberGroup,
  call: MemberCall,
  options: { readonly now: number | undefined; readonly script?: Script },
): Promise<MembersView> {
  const { members, assignment } = keys.members(at.topic, at.group)
  const script = options.script ?? memberScript
  const args = [call.word, options.now ?? '', ...argumentsOf(call)]
  const reply = (await script.run(redis, [members, assignment], args)) as Reply | readonly ['full']
  if (reply[0] === 'full')
    throw new MillraceError('members.full', `${at.topic.name}/${at.group} has ${mostMembers} members`)
  return viewOf(reply)
}

function argumentsOf(call: MemberCall): readonly (string | number)[] {
  switch (call.word) {
    case 'heartbeat':
      return [call.member, call.ttlMs, call.declines.join(','), silentKeptMs, mostMembers]
    case 'look':
      return []
    case 'leave':
      return [call.member]
    case 'assign':
      return [call.revision, JSON.stringify(call.owners)]
  }
}

function viewOf([, now, revision, owners, list]: Reply): MembersView {
  const members = Array.from({ length: list.length / 2 }, (_, at) =>
    listed(list[at * 2] ?? '', list[at * 2 + 1] ?? ''),
  )
  return {
    nowMs: Number(now),
    members: members.toSorted((a, b) => (a.member < b.member ? -1 : 1)),
    assignment: {
      revision: Number(revision),
      owners: owners === '' ? [] : (JSON.parse(owners) as readonly string[]),
    },
  }
}

function listed(member: string, record: string): ListedMember {
  const [since, seen, ttl, declined = ''] = record.split(' ')
  return {
    member,
    ttlMs: Number(ttl),
    declines: declined === '' ? [] : declined.split(',').map(Number),
    sinceMs: Number(since),
    seenMs: Number(seen),
  }
}
