import { setTimeout as delay } from 'node:timers/promises'
import { accounts } from '@millrace/accounts'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { between, type Random, randomOf } from '../support/random.ts'
import { WholeSystem } from '../support/whole-system.ts'
import { type Kill, missingKills, type SignUpReport, victims } from './sign-up-report.ts'
import {
  accountsOnLog,
  answerFaults,
  claimFaults,
  deadFaults,
  mailFaults,
  unsettled,
} from './sign-up-verdict.ts'
import { Visitors } from './visitors.ts'

/** Options of {@link runSignUp}. */
export interface SignUpOptions {
  /** At least; the run goes on until every planned kill has met a service at work, up to four times as many. */
  readonly signUps: number
  readonly seed: number
  /** How often each service is killed. Default 3. */
  readonly killsEach?: number
  readonly onProgress?: (line: string) => void
}

const concurrency = 24
/** Of one partition, as `docs/mail.md` says: ten mails a checkpoint, and eight at once. */
const repeatsAtMost = 18
/** Groups whose service follows the log. */
const groupOf: Readonly<Record<string, string>> = { mail: 'mail', 'user-query': 'user-query' }

/**
 * Honest visitors sign up at the whole system, each service a process of its own, while every one of those is killed
 * at random points. Then answers, log, claims, view and mails are compared.
 */
export async function runSignUp(options: SignUpOptions): Promise<SignUpReport> {
  const started = performance.now()
  const system = await WholeSystem.start({ separate: true })
  let log: RedisLog | undefined
  let groups: RedisGroupStore | undefined
  try {
    log = await connectLog({ url: system.redisUrl })
    groups = await connectGroupStore({ url: system.redisUrl })
    return await new SignUpRun(options, system, log, groups).run(started)
  } finally {
    await groups?.close()
    await log?.close()
    await system.stop()
  }
}

class SignUpRun {
  readonly #options: SignUpOptions
  readonly #system: WholeSystem
  readonly #log: RedisLog
  readonly #groups: RedisGroupStore
  readonly #visitors: Visitors
  readonly #plan: { readonly after: number; readonly service: string }[]
  readonly #kills: Kill[] = []
  readonly #killing: Promise<void>[] = []
  /** Kills that wait for somebody at work. */
  #waiting = 0

  constructor(options: SignUpOptions, system: WholeSystem, log: RedisLog, groups: RedisGroupStore) {
    const { signUps, seed, killsEach = 3 } = options
    this.#options = options
    this.#system = system
    this.#log = log
    this.#groups = groups
    this.#plan = planOf(randomOf(seed), signUps, killsEach)
    this.#visitors = new Visitors({
      gatewayUrl: system.urlOf('GATEWAY'),
      signUps,
      more: () => this.#plan.length > 0 || this.#waiting > 0,
      random: randomOf(seed + 1),
      concurrency,
      onSettled: (settled) => this.#settled(settled),
    })
  }

  async run(started: number): Promise<SignUpReport> {
    await this.#visitors.go()
    await Promise.all(this.#killing)
    return this.#judge(started)
  }

  #settled(settled: number): void {
    for (let next = this.#plan[0]; next && next.after <= settled; next = this.#plan[0]) {
      this.#plan.shift()
      this.#killing.push(this.#kill(next.service))
    }
    if (settled % 200 === 0)
      this.#options.onProgress?.(`${settled} of ${this.#options.signUps} have their answer`)
  }

  async #kill(service: string): Promise<void> {
    this.#waiting += 1
    const before = this.#kills.filter((kill) => kill.service === service).length
    await this.#system.isBack(service, before)
    const group = groupOf[service]
    let open: number | undefined
    for (;;) {
      open = group === undefined ? undefined : await unsettled(this.#log, this.#groups, group)
      // A kill that hits nobody at work shows nothing. When all have left, the report says that it did not happen.
      if (this.#visitors.inFlight > 0 && open !== 0) break
      if (this.#visitors.left) return
      await delay(2)
    }
    const { settled, inFlight } = this.#visitors
    const kill = { service, settled, inFlight, unsettled: open }
    this.#waiting -= 1
    this.#kills.push({ ...kill, pid: await this.#system.kill(service) })
    this.#options.onProgress?.(`killed ${service} after ${settled}, ${inFlight} requests under way`)
  }

  async #judge(started: number): Promise<SignUpReport> {
    const { visitors, hardships } = this.#visitors
    const counts = victims.map(
      (service) => [service, this.#kills.filter((kill) => kill.service === service).length] as const,
    )
    for (const [service, kills] of counts) await this.#system.isBack(service, kills)
    const { created, events } = await accountsOnLog(this.#log)
    const mail = await mailFaults(this.#system, this.#log, this.#groups, created)
    const owners = visitors.filter(({ status }) => status === 201)
    for (const owner of owners) await this.#visitors.readOwn(owner)
    const mostRepeatedMails =
      this.#kills.filter(({ service }) => service === 'mail').length * repeatsAtMost * accounts.partitions
    const tooMany = mail.repeated > mostRepeatedMails ? [`${mail.repeated} mails were repeated`] : []
    return {
      seed: this.#options.seed,
      seconds: (performance.now() - started) / 1_000,
      signUps: visitors.length,
      addresses: new Set(visitors.map(({ email }) => email.toLowerCase())).size,
      created: owners.length,
      taken: visitors.filter(({ status }) => status === 409).length,
      attempts: visitors.reduce((sum, { attempts }) => sum + attempts, 0),
      unknowns: hardships.unknowns,
      unavailable: hardships.unavailable,
      firstAnswers: hardships.firstAnswers,
      readsAgain: hardships.readsAgain,
      ms: durations(visitors.map(({ ms }) => ms)),
      kills: this.#kills,
      events,
      mails: mail.mails,
      repeatedMails: mail.repeated,
      mostRepeatedMails,
      wrong: [
        ...hardships.complaints,
        ...answerFaults(visitors, created),
        ...(events === created.length ? [] : [`${events} events for ${created.length} accounts`]),
        ...mail.wrong,
        ...tooMany,
        ...(await deadFaults(this.#groups)),
        ...(await claimFaults(this.#system)),
        ...missingKills(this.#kills),
      ],
    }
  }
}

/** Every service so many times, in random order, after random numbers of sign-ups that leave work to do. */
function planOf(random: Random, signUps: number, killsEach: number): { after: number; service: string }[] {
  const points = Array.from({ length: victims.length * killsEach }, () =>
    between(random, Math.ceil(signUps * 0.02), Math.floor(signUps * 0.85)),
  ).toSorted((a, b) => a - b)
  const order = Array.from({ length: killsEach }, () => victims).flat()
  return points.map((after) => {
    const [service = ''] = order.splice(between(random, 0, order.length - 1), 1)
    return { after, service }
  })
}

function durations(all: readonly number[]): SignUpReport['ms'] {
  const sorted = all.toSorted((a, b) => a - b).map(Math.round)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { median: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 }
}
