import { MillraceError } from '@millrace/event'
import type { Commit, GroupPartition } from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const script = new Script('commit.lua')

type Reply =
  | readonly ['committed' | 'already' | 'fenced']
  | readonly ['refused', 'backwards' | 'beyond' | 'other', number]

/** Makes a commit true, or says why not. The same commit may be sent again. */
export async function commitGroup(
  redis: Redis,
  keys: Keys,
  at: GroupPartition,
  commit: Commit,
): Promise<'committed' | 'already' | 'fenced'> {
  const { token, n, position, ahead, dead } = commit
  const { topic, partition, group } = at
  const { log, meta } = keys.partition(topic, partition)
  const names = [keys.group(topic, partition, group), meta, log, keys.dead(topic, partition, group)]
  const letters = dead.flatMap((letter) => [letter.seq, JSON.stringify(letter)])
  const args = [token, n, position.id, position.seq, ahead.join(','), JSON.stringify(letters), group]
  const reply = (await script.run(redis, names, args)) as Reply
  switch (reply[0]) {
    case 'committed':
    case 'already':
    case 'fenced':
      return reply[0]
    case 'refused':
      throw new MillraceError('commit.refused', refusal(reply[1], reply[2], position.id))
  }
}

function refusal(word: 'backwards' | 'beyond' | 'other', seq: number, id: string): string {
  switch (word) {
    case 'backwards':
      return `The group is at ${seq}; ${id} would be a step back`
    case 'beyond':
      return `The log ends at ${seq}; ${id} is beyond it`
    case 'other':
      return `The log has no event ${id}`
  }
}
