import { MillraceError } from '@millrace/event'
import type { Seeded } from '../seeded.ts'
import type { Story } from '../story.ts'
import { isForeign } from '../twins.ts'
import type { Call, Network, Process } from './network.ts'

/** What befalls processes and calls that are on their way. */
export class Hazards {
  readonly #network: Network
  readonly #story: Story

  constructor({ network, story }: { readonly network: Network; readonly story: Story }) {
    this.#network = network
    this.#story = story
  }

  deliver(call: Call | undefined): void {
    if (!call) return
    this.#network.remove(call)
    call.deliver()
  }

  /** The sender hears nothing; what was not carried out may be so later. */
  giveUp(call: Call | undefined): void {
    if (!call) return
    this.#story.tell(`${call.process.name} hears nothing of ${call.request.what}`)
    call.giveUp()
    if (call.outcome) this.#network.remove(call)
  }

  drop(call: Call | undefined): void {
    if (!call) return
    this.#network.remove(call)
    if (call.orphan || !call.process.alive) return
    this.#story.tell(`${call.request.what} of ${call.process.name} is lost`)
    call.giveUp()
  }

  kill(process: Process | undefined): void {
    if (!process) return
    process.alive = false
    this.#story.tell(`${process.name} is killed`)
    for (const call of [...this.#network.waiting]) if (call.process === process) call.giveUp()
  }

  pause(process: Process | undefined): void {
    if (!process) return
    process.paused = true
    this.#story.tell(`${process.name} falls asleep`)
  }

  resume(process: Process | undefined): void {
    if (!process) return
    process.paused = false
    this.#story.tell(`${process.name} wakes up`)
  }

  /** Tells what a call has come to. */
  told({ process, request, outcome, orphan }: Call): void {
    const how = orphan ? ' (late)' : ''
    this.#story.tell(() => {
      const answer = outcome && 'value' in outcome ? short(outcome.value) : String(outcome?.error)
      return `${process.name} ${request.what}${how} → ${answer}`
    })
  }
}

/** The weights of what befalls calls and processes at a step, by how much of each a seed has. */
export function hazardsOf(
  hazards: Hazards,
  { network, random }: { readonly network: Network; readonly random: Seeded },
  living: readonly Process[],
  [given = 1, dropped = 1, killed = 1, paused = 1]: readonly number[],
): readonly (readonly [weight: number, act: () => void])[] {
  const awake = living.filter((one) => !one.paused)
  const asleep = living.filter((one) => one.paused)
  const { sent, waiting } = network
  return [
    [waiting.length > 0 ? given : 0, () => hazards.giveUp(random.pick(waiting))],
    [sent.length > 0 ? 0.3 * dropped : 0, () => hazards.drop(random.pick(sent))],
    [awake.length > 0 ? 0.05 * killed : 0, () => hazards.kill(random.pick(awake))],
    [awake.length > 0 ? 0.12 * paused : 0, () => hazards.pause(random.pick(awake))],
    [asleep.length > 0 ? 0.5 : 0, () => hazards.resume(random.pick(asleep))],
  ]
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

/** The server did not carry it out, because of something foreign. */
export function isRefused({ outcome }: Call): boolean {
  if (!outcome || !('error' in outcome) || !(outcome.error instanceof MillraceError)) return false
  return isForeign(outcome.error.code)
}
