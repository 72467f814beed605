import { MillraceError } from '@millrace/event'
import { fireDue } from './due-meanwhile.ts'
import type { FreezeResult } from './generations.ts'
import type { ReplayPartition } from './replay-partition.ts'
import type { ReplaySettings } from './replay-settings.ts'
import { type OwnDecision, settleMeanwhile } from './settled-meanwhile.ts'

const mostRounds = 20

/**
 * Puts the generation into the place of the live one: freezes the partition, goes on to the very position, settles
 * what is left and switches. Whatever fails in between gives the live lease back, and the live generation goes on.
 *
 * @param refuses Says whether the program's own decisions forbid the switch.
 * @throws MillraceError `replay.refused`, `replay.behind`, `replay.held`
 */
export async function switchPartition(
  settings: ReplaySettings,
  partition: ReplayPartition,
  refuses: (own: readonly OwnDecision[]) => boolean,
): Promise<void> {
  const { store } = settings
  const frozen = await freeze(settings, partition)
  try {
    const { position, ahead } = frozen
    await partition.upTo({ position, ahead })
    await fireDue(settings, partition)
    if (refuses(await settleMeanwhile(settings, partition)))
      throw new MillraceError(
        'replay.refused',
        'The new program does not handle what the live one has handled',
      )
    await switchOver(settings, partition, frozen)
  } catch (error) {
    // It lapses by itself when this fails too.
    await store.release(partition.live, frozen.token).catch(() => 'fenced')
    throw error
  }
}

type Frozen = Extract<FreezeResult, { status: 'frozen' }>['lease']

async function freeze(settings: ReplaySettings, partition: ReplayPartition): Promise<Frozen> {
  const { store, member, leaseMs, near } = settings
  for (let round = 1; round <= mostRounds; round++) {
    const { position } = await partition.look()
    await partition.upTo({ position, ahead: [] })
    const { building } = partition.lease
    const result = await store.freeze(partition.live, building, { member, leaseMs, most: near })
    if (result.status === 'frozen') return result.lease
    if (result.status === 'fenced') throw new MillraceError('replay.held')
  }
  throw new MillraceError('replay.behind')
}

async function switchOver(
  { store }: ReplaySettings,
  { live, lease }: ReplayPartition,
  frozen: Frozen,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { status } = await store.switchGeneration(live, frozen, lease.building)
      if (status === 'switched' || status === 'already') return
      if (status === 'crowded') throw new MillraceError('replay.refused', 'Too many timers are due at once')
      throw new MillraceError('replay.held', `Partition ${live.partition} was taken over before its switch`)
    } catch (error) {
      // Sent again it says what became of it.
      const unknown = error instanceof MillraceError && error.code === 'commit.unknown'
      if (!unknown || attempt >= 5) throw error
    }
  }
}
