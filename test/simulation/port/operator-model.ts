import { MillraceError } from '@millrace/event'
import { dropStates, type EffectRuleRequest, mostShadowKeys } from '@millrace/processor'
import type { RuleRequest, Ruling, ShadowChange } from '@millrace/processor'
import type { Asked } from './asked.ts'
import type { Process } from './network.ts'
import { remote } from './remote.ts'
import { keys } from './key-names.ts'
import type { World } from './world.ts'

const said = { by: 'ada', reason: 'as was agreed' } as const
/** So many of his requests may be repeated, where there is much to do; else the last one. */
const mostSent = 6
const kinds = ['ignored', 'requeued', 'corrected'] as const

/**
 * Somebody who looks at what cannot be processed and decides about it: with what was read a while ago, sometimes in
 * doubt, sometimes twice, and never holding a token.
 */
export class OperatorModel {
  readonly #process: Process
  readonly #world: World
  readonly #asked: Asked
  readonly #tempers: readonly number[]
  #requests = 0
  /** The latest requests, which may be sent again. */
  readonly #sent: (() => Promise<unknown>)[] = []

  constructor(process: Process, world: World, asked: Asked) {
    this.#process = process
    this.#world = world
    this.#asked = asked
    this.#tempers = Array.from({ length: 5 }, () => world.random.temper())
  }

  /** Acts until nothing goes wrong any more. */
  async live(): Promise<void> {
    const { random, forOperators } = this.#world
    const much = forOperators ? 4 : 1
    const [held = 1, dead = 1, effects = 1, withheld = 1, migrations = 1] = this.#tempers
    while (!this.#world.calm) {
      await this.#process.sleep(random.between(1, forOperators ? 3 : 10))
      const choice = random.weighted<() => Promise<unknown>>([
        [3 * held, () => this.#ruleOnParked()],
        [3 * dead, () => this.#ruleOnDead()],
        [2 * effects * much, () => this.#ruleOnEffect()],
        [2 * withheld * much, () => this.#settleWithheld()],
        [0.5 * migrations, () => this.#keepMigration()],
        [this.#sent.length > 0 ? 0.5 * much : 0, () => this.#again()],
        [forOperators ? 0.5 : 0, () => this.#dropStates()],
        [forOperators ? 0.5 : 0, () => this.#setShadow()],
      ])
      try {
        await choice?.()
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
      }
    }
  }

  async #ruleOnParked(): Promise<void> {
    const { random, store, at, judge } = this.#world
    const { items } = await this.#read('parked', () => store.parked(at))
    const parked = random.pick(items)
    if (!parked) return
    const seqs = [...judge.askings.values()].flatMap(({ key, seq }) =>
      key === parked.key && seq >= parked.head && seq <= parked.last ? [seq] : [],
    )
    const any = random.between(parked.head, parked.last + 1)
    const seq = random.weighted([
      [6, parked.head],
      [3, random.pick(seqs) ?? parked.head],
      [1, any],
    ])
    const parkNo = random.weighted([
      [5, undefined],
      [3, parked.no],
      [1, parked.no - 1],
    ])
    await this.#rule(seq ?? parked.head, parked.key, parkNo === undefined ? {} : { parkNo })
  }

  async #ruleOnDead(): Promise<void> {
    const { random, store, at } = this.#world
    const late = this.#world.forOperators && random.chance(0.2)
    const { items } = late
      ? await this.#read('requeued', () => store.requeued(at))
      : await this.#read('deadItems', () => store.deadItems(at, { limit: 20 }))
    const item = random.pick<{ readonly seq: number; readonly key: string }>(items)
    if (!item) return
    const key = random.chance(0.1) ? 'nobody' : item.key
    await this.#rule(item.seq, key, random.chance(0.6) ? { force: true } : {})
  }

  async #rule(seq: number, key: string, more: Partial<RuleRequest>): Promise<void> {
    const { random, store, at } = this.#world
    const kind = random.pick(kinds) ?? 'ignored'
    const data = kind === 'corrected' ? { data: this.#asked.fine() } : {}
    const request: RuleRequest = {
      id: this.#newId(),
      seq,
      key,
      kind,
      ...said,
      ...data,
      ...more,
      ...this.#dry(),
    }
    await this.#send('rule', () => store.rule(at, request), request)
  }

  async #ruleOnEffect(): Promise<void> {
    const { random, store, at } = this.#world
    const { items } = await this.#read('deadEffects', () => store.deadEffects(at, { limit: 20 }))
    const dead = random.pick(items)?.effect
    const open = dead ? undefined : await this.#read('effects', () => store.pendingEffects(at, { limit: 5 }))
    const effect = dead ?? random.pick(open?.items ?? [])
    if (!effect) return
    const kind: Ruling['kind'] = random.pick(kinds) ?? 'ignored'
    const request: EffectRuleRequest = {
      ...{ id: this.#newId(), idempotencyKey: effect.idempotencyKey, kind, ...said },
      ...(kind === 'corrected' ? { payload: { better: this.#requests } } : {}),
      ...(random.chance(0.5) ? { turn: effect.turn + (random.chance(0.2) ? 1 : 0) } : {}),
      ...(random.chance(0.5) ? { force: true } : {}),
      ...this.#dry(),
    }
    await this.#send('ruleEffect', () => store.ruleEffect(at, request), request)
  }

  async #settleWithheld(): Promise<void> {
    const { random, store, at } = this.#world
    const { items } = await this.#read('withheld', () => store.withheldEffects(at, { limit: 20 }))
    const some = items.filter(() => random.chance(0.4)).map(({ idempotencyKey }) => idempotencyKey)
    const ids = random.chance(0.2) ? [...some, `quote-${random.between(1, 25)}`, ...some.slice(0, 1)] : some
    if (ids.length === 0) return
    const request = { ids, to: random.chance(0.6) ? 'released' : 'ignored', ...said } as const
    await this.#send('settleWithheld', () => store.settleWithheld(at, request), request)
  }

  async #keepMigration(): Promise<void> {
    const { random, store, at, elsewhere } = this.#world
    const [key, state] = random.pick([...elsewhere]) ?? []
    if (key === undefined || state === undefined) return
    const entry = this.#world.migrationOf(key, state)
    await this.#send('keepMigration', () => store.keepMigration(at, entry), entry)
  }

  async #again(): Promise<void> {
    await (this.#world.forOperators ? this.#world.random.pick(this.#sent) : this.#sent[0])?.()
  }

  /** States are dropped by the product's own way to do it: seize, drop, release. */
  async #dropStates(): Promise<void> {
    const { random, store, at, leaseMs } = this.#world
    const some = keys.filter(() => random.chance(0.5))
    const history = random.chance(0.5)
    await dropStates(
      { name: at.group, topic: at.topic },
      {
        ...{ store: remote(this.#process, store), leaseMs, history, ...said },
        ...(random.chance(0.3) ? {} : { keys: [...some, ...some.slice(0, 1)] }),
      },
    )
    // Somebody reads a key that has nothing but a mark.
    if (history && random.chance(0.5)) await this.#keepMigration()
  }

  async #setShadow(): Promise<void> {
    const { random, store, at } = this.#world
    const some = keys.filter(() => random.chance(0.5))
    const named = some.map((key) => ({ key, promoted: random.pick([true, true, false, undefined]) }))
    const names = Array.from({ length: mostShadowKeys - 1 }, (_, no) => `k${no}`)
    const all = random.chance(0.2) ? names.map((key) => ({ key, promoted: true })) : []
    const percent = random.chance(0.5) ? { percent: random.between(0, 100) } : {}
    const change: ShadowChange = { ...said, ...percent, keys: [...named, ...all] }
    await this.#send('setShadow', () => store.setShadow(at, change), change)
  }

  #newId(): string {
    this.#requests += 1
    return `r${this.#requests}`
  }

  #dry(): { readonly dryRun?: true } {
    return this.#world.random.chance(0.1) ? { dryRun: true } : {}
  }

  /** Who hears nothing repeats the very request, sooner or later, or never. */
  async #send(what: string, act: () => Promise<unknown>, content: unknown): Promise<void> {
    const send = () => this.#process.call(what, act, 'commit.unknown', content)
    this.#sent.push(send)
    if (this.#sent.length > (this.#world.forOperators ? mostSent : 1)) this.#sent.shift()
    await send()
  }

  #read<T>(what: string, act: () => Promise<T>): Promise<T> {
    return this.#process.call(what, act, 'log.unavailable')
  }
}
