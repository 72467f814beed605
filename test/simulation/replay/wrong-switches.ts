import type { Building, Lease } from '@millrace/processor'
import type { LeaseJudge } from '../lease-judge.ts'
import type { Call } from '../port/network.ts'
import type { World } from '../port/world.ts'
import type { Seeded } from '../seeded.ts'
import { demand } from '../story.ts'

/** What a freeze says. */
interface FreezeContent {
  readonly building: Building
  readonly request: { readonly member: string; readonly leaseMs: number; readonly most: number }
}

/** What a switch says. */
interface SwitchContent {
  readonly lease: Pick<Lease, 'token' | 'n'>
  readonly building: Building
}

/** Sends a changed copy of a freeze or a switch that is on its way: it comes to nothing, whatever the right one would. */
export async function meddleWithGeneration(world: World, call: Call): Promise<void> {
  const { random, story, store, server, at, judge, generations } = world
  const { what, content } = call.request
  if (what !== 'freeze' && what !== 'switch') return
  const look = async () => {
    const { untilMs, member, generation } = await server.store.look(at)
    return JSON.stringify([await server.store.audit(at), untilMs, member, generation])
  }
  const before = await look()
  let name: string
  let answer: string
  if (what === 'freeze') {
    const { building, request } = content as FreezeContent
    const [how, wrong] = wrongHolder(random, building)
    if (holds(generations.of(building.generation), wrong)) return
    name = `a freeze that ${how}`
    answer = (await store.freeze(at, wrong, request)).status
  } else {
    const { lease, building } = content as SwitchContent
    const ofLive = random.chance(0.5)
    const [how, wrong] = wrongHolder(random, ofLive ? lease : building)
    if (holds(ofLive ? judge : generations.of(building.generation), wrong)) return
    name = `a switch whose ${ofLive ? 'live' : 'building'} lease ${how}`
    const [one, other] = ofLive ? [wrong, building] : [lease, { ...building, ...wrong }]
    answer = (await store.switchGeneration(at, one, other)).status
  }
  story.tell(`${name} → ${answer}`)
  const after = await look()
  demand(
    answer !== 'frozen' && answer !== 'switched' && before === after,
    'a wrong switch is refused',
    () => `${name} came to ${answer} and changed ${before} to ${after}`,
  )
}

/** What was wrong when it was sent may be right when it is late. */
function holds(judge: LeaseJudge, { token, n }: { readonly token: string; readonly n: number }): boolean {
  return judge.holds(token) && judge.n === n
}

/** The holder of a lease as it is not: another one, nobody, or one who does not know of the last commit. */
function wrongHolder<T extends { readonly token: string; readonly n: number }>(
  random: Seeded,
  right: T,
): readonly [how: string, wrong: T] {
  const n = right.n
  const wrong: readonly (readonly [string, T])[] = [
    ['is of another one', { ...right, token: '1-other' }],
    ['is of nobody', { ...right, token: '' }],
    ['does not know of the last commit', { ...right, n: n === 0 ? 1 : n - 1 }],
    ['knows of a commit that was not made', { ...right, n: n + 1 }],
  ]
  return random.pick(wrong) ?? ['is as it is', right]
}
