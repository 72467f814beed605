import { type ErrorCode, MillraceError } from '@millrace/event'
import { type ConsumerEvent, type HandlerContext, run, type Running } from '@millrace/processor'
import type { Folded } from '../act.ts'
import { watched } from '../simulated-server.ts'
import { type Cluster, leaseMs, lostCode } from './cluster.ts'
import { systemOf, target } from './system.ts'
import type { Node } from './wire.ts'

/** News of an engine that explain what it does next. */
const told: ReadonlySet<string> = new Set([
  'ended',
  'retry',
  'stalled',
  'handing-over',
  'parked',
  'effect-dead',
])

/** A real engine in a process of the simulation: everything that it asks of the outside goes over the wire. */
export class Member {
  readonly node: Node
  readonly #cluster: Cluster
  #running: Running | undefined
  #stopping = false
  /** Keys with a handler under way, and whether it was told to stop. */
  readonly #handling = new Map<string, AbortSignal>()
  /** Tokens that it has given back. */
  readonly #released = new Set<string>()

  constructor(node: Node, cluster: Cluster) {
    this.node = node
    this.#cluster = cluster
  }

  /** Begins to run; what goes wrong in it that is nobody's plan is told to `failed`. */
  start(failed: (error: unknown) => void): void {
    const { node } = this
    const { wire, plan, source } = this.#cluster
    const processor = systemOf(plan.form, source, {
      seqOf: (id) => this.#cluster.seqOf(id),
      sleep: (ms, signal) => node.sleep(ms, signal),
      fails: (id, times) => this.#cluster.fails(id, times),
      handling: (context) => this.#handles(context),
      performing: async (context) => {
        const dice = node.random.next()
        if (dice < 0.3) await node.sleep(node.random.between(1, 200), context.signal)
        this.#cluster.performs(context)
        if (dice > 0.8 && !this.#cluster.calm)
          throw new MillraceError('log.unavailable', 'The provider is away')
      },
    })
    run(processor, {
      log: this.#log(),
      store: this.#remote(this.#cluster.store, lostCode, (name, args) => this.#look(name, args)),
      members: this.#remote(this.#cluster.members, () => 'members.unavailable'),
      member: node.name,
      observe: (news) => this.#heard(news),
      freshName: () => 'x',
      emitsTo: [target],
      clock: { now: () => wire.nowMs + node.skewMs },
      elapsedMs: () => wire.nowMs,
      timers: node.timers,
      random: () => node.random.next(),
      leaseMs,
      window: 16,
      atOnce: 4,
      commitEvery: 4,
      commitMs: 5,
      retry: { firstMs: 20, maxMs: 200 },
      retrySweepMs: 1_000,
      effectRetry: { firstMs: 20, maxMs: 200 },
      effectsAtOnce: 3,
      handlerTimeoutMs: 1_500,
      stalledMs: 4_000,
      stopMs: 600,
    })
      .then((running) => {
        this.#running = running
        if (this.#stopping) this.stop(failed)
      })
      .catch((error: unknown) => {
        if (!(error instanceof MillraceError && error.retryable)) failed(error)
        else node.timers.set(100, () => this.start(failed))
      })
  }

  #heard(news: ConsumerEvent): void {
    if (!this.node.alive || !told.has(news.kind)) return
    const where = 'partition' in news ? ` ${news.partition}` : ''
    const why = 'error' in news && news.error instanceof Error ? `: ${news.error.message}` : ''
    const how = 'reason' in news ? ` (${news.reason})` : ''
    this.#cluster.story.tell(`${this.node.name} says: ${news.kind}${where}${how}${why}`)
  }

  /** Ends in good order. */
  stop(failed: (error: unknown) => void): void {
    this.#stopping = true
    this.#running?.stop().then(() => {
      this.#cluster.story.tell(`${this.node.name} has stopped`)
      this.node.alive = false
    }, failed)
  }

  get stopping(): boolean {
    return this.#stopping
  }

  #log(): Cluster['log'] {
    const { log, wire } = this.#cluster
    const { node } = this
    return watched(this.#remote(log, lostCode), {
      read: (topic, after, options = {}) => {
        const { waitMs = 0, signal, ...bounds } = options
        const waits = waitMs > 0 ? { untilMs: wire.nowMs + waitMs, signal, empty: new Map() } : undefined
        return node.call({
          what: 'read',
          act: () => log.read(topic, after, bounds),
          lost: 'log.unavailable',
          ...(waits ? { waits } : {}),
        })
      },
    })
  }

  /** The same object across the wire. */
  #remote<T extends object>(
    inner: T,
    lost: (name: string) => ErrorCode,
    look: (name: string, args: readonly unknown[]) => void = () => undefined,
  ): T {
    const { node } = this
    return new Proxy(inner, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name)
        if (typeof method !== 'function') return method
        const what = String(name)
        return (...args: readonly unknown[]) => {
          look(what, args)
          const act = () => Reflect.apply(method, object, args) as Promise<unknown>
          return node.call({ what, act, lost: lost(what), content: args })
        }
      },
    })
  }

  /** What a member must not even ask for. */
  #look(name: string, args: readonly unknown[]): void {
    const order = 'a lease is given back after the drain'
    const said = args[1] as string | { readonly token: string }
    if (name === 'release') {
      const at = (args[0] as { readonly partition: number }).partition
      const running = [...this.#handling].filter(
        ([key, signal]) => key.startsWith(`${at}/`) && !signal.aborted,
      )
      this.#cluster.note(
        order,
        running.length === 0,
        `${this.node.name} gives ${at} back while a handler runs`,
      )
      if (typeof said === 'string') this.#released.add(said)
    }
    if (name !== 'commit' || typeof said === 'string') return
    this.#cluster.note(
      order,
      !this.#released.has(said.token),
      `${this.node.name} commits under a lease that it gave back`,
    )
  }

  #handles(context: HandlerContext<Folded>): () => void {
    const name = `${context.position.partition}/${context.key}`
    const other = this.#handling.get(name)
    this.#cluster.note(
      'guarantee 4, order per key',
      other === undefined || other.aborted,
      `${this.node.name} handles two events of ${context.key} at once`,
    )
    this.#cluster.started(context)
    const { signal } = context
    this.#handling.set(name, signal)
    return () => {
      if (this.#handling.get(name) === signal) this.#handling.delete(name)
    }
  }
}
