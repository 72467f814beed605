import { MillraceError } from '@millrace/event'
import type { Commit, EffectChange } from '@millrace/processor'
import type { Place } from '../place-judge.ts'
import { demand } from '../story.ts'
import type { Call } from './network.ts'
import type { World } from './world.ts'
import { changes } from './wrong-commits.ts'

/** Sends a changed copy of a commit that is on its way. It must come to nothing. */
export async function meddle(world: World, call: Call): Promise<void> {
  const { random, judge, story, store, at } = world
  const commit = call.request.content as Commit
  // Another one is refused whatever it says.
  if (commit.token !== judge.token || commit.n !== judge.n + 1) return
  if (commit.dead.some(({ seq }) => isRuled(judge.places.get(seq), commit, seq))) return
  const occasions = Object.entries(changes).flatMap(([name, change]) => {
    const changed = change(commit, judge)
    return changed ? [[name, changed] as const] : []
  })
  // What there is seldom an occasion for comes first.
  const least = Math.min(...occasions.map(([name]) => world.meddled.get(name) ?? 0))
  const [what, wrong] =
    random.pick(occasions.filter(([name]) => (world.meddled.get(name) ?? 0) === least)) ?? []
  if (!wrong || what === undefined) return
  world.meddled.set(what, least + 1)
  const before = world.audited
  let answer: string
  try {
    answer = (await store.commit(at, wrong)).status
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    answer = error.message
  }
  story.tell(`a commit that ${what} → ${answer}`)
  demand(answer !== 'committed', 'a wrong commit is refused', () => `one that ${what} was accepted`)
  await world.audit()
  const after = world.audited
  demand(
    before === after,
    'a refused commit changes nothing',
    () => `one that ${what} changed ${before} to ${after}`,
  )
}

/** A new group is to begin where the log has nothing to begin at. */
export async function meddleWithStart({ random, judge, story, server, at, leaseMs }: World): Promise<void> {
  const [seq, asking] = random.pick([...judge.askings]) ?? []
  if (seq === undefined || !asking) return
  const [ms = ''] = asking.id.split('-')
  const tip = judge.askings.size
  const start = random.chance(0.5)
    ? { id: `${Number(ms) - 1}-${seq}`, seq }
    : { id: `99999999999999-${tip + 1}`, seq: tip + 1 }
  const late = { ...at, group: 'late' }
  try {
    await server.store.acquire(late, 'late', leaseMs, start)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    story.tell(`a group that is to begin at ${start.id} → ${error.message}`)
    return
  }
  demand(false, 'a group begins at an event', () => `one began at ${start.id}`)
}

/** Sends a confirmation that names other turns than the one that is on its way: nothing may change by it. */
export async function meddleWithTurns(
  { random, story, server, at, judge }: World,
  call: Call,
): Promise<void> {
  const by = random.chance(0.5) ? 1_000 : -1
  const wrong = (call.request.content as readonly EffectChange[])
    .map((change) => ({ ...change, turn: change.turn + by }))
    .filter(({ turn }) => turn >= 0)
  const told = async () => [...(await server.stories.facts(at, [...judge.askings.keys()]))]
  const look = async () => JSON.stringify([await server.store.audit(at), await told()])
  const before = await look()
  const answer = await server.store.confirmEffects(at, judge.token, wrong)
  const after = await look()
  story.tell(`a confirmation of other turns → ${JSON.stringify(answer)}`)
  demand(before === after, 'a late confirmation changes nothing', () => `${before} became ${after}`)
}

/** A letter that is written again, and that an operator has ruled on meanwhile. */
function isRuled(place: Place | undefined, { late = [] }: Commit, seq: number): boolean {
  return place === 'done' || (place === 'late' && !late.includes(seq))
}
