import { MillraceError } from '@millrace/event'
import type { Commit, CommitResult } from '../commit.ts'
import type { GroupPartition, GroupStore, Lease, Reached, Renewal } from '../group-store.ts'

/** One member's way to the store, which a test can cut, hold up, or rob of its answers. It notes what commits came to. */
export class FaultyGroupStore implements GroupStore {
  /** Results of all commits, in the order in which they came back from the store. */
  readonly commits: { readonly position: Reached; readonly result: CommitResult['status'] }[] = []
  readonly #inner: GroupStore
  readonly #news: () => void
  #held: { promise: Promise<void>; resolve: () => void } | undefined
  #cut = false
  #answersToLose = 0

  /** @param news Called after each call. */
  constructor(inner: GroupStore, news: () => void) {
    this.#inner = inner
    this.#news = news
  }

  /** As if the process slept: calls go nowhere until `resume`. */
  pause(): void {
    this.#held ??= Promise.withResolvers<void>()
  }

  resume(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** As if the process had been killed: nothing gets through any more. */
  cut(): void {
    this.#cut = true
  }

  /** The next commits take place, and their answers are lost. */
  loseAnswers(count: number): void {
    this.#answersToLose = count
  }

  acquire(at: GroupPartition, member: string, leaseMs: number): Promise<Lease | undefined> {
    return this.#through(() => this.#inner.acquire(at, member, leaseMs))
  }

  renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal> {
    return this.#through(() => this.#inner.renew(at, lease, leaseMs))
  }

  commit(at: GroupPartition, commit: Commit): Promise<CommitResult> {
    return this.#through(async () => {
      const result = await this.#inner.commit(at, commit)
      this.commits.push({ position: commit.position, result: result.status })
      if (this.#answersToLose > 0) {
        this.#answersToLose -= 1
        throw new MillraceError('commit.unknown')
      }
      return result
    })
  }

  release(at: GroupPartition, token: string): Promise<'released' | 'fenced'> {
    return this.#through(() => this.#inner.release(at, token))
  }

  look(...args: Parameters<GroupStore['look']>) {
    return this.#inner.look(...args)
  }

  seize(...args: Parameters<GroupStore['seize']>) {
    return this.#through(() => this.#inner.seize(...args))
  }

  shadow(...args: Parameters<GroupStore['shadow']>) {
    return this.#inner.shadow(...args)
  }

  setShadow(...args: Parameters<GroupStore['setShadow']>) {
    return this.#inner.setShadow(...args)
  }

  withheldEffects(...args: Parameters<GroupStore['withheldEffects']>) {
    return this.#inner.withheldEffects(...args)
  }

  settleWithheld(...args: Parameters<GroupStore['settleWithheld']>) {
    return this.#inner.settleWithheld(...args)
  }

  keepMigration(...args: Parameters<GroupStore['keepMigration']>) {
    return this.#through(() => this.#inner.keepMigration(...args))
  }

  dropStates(...args: Parameters<GroupStore['dropStates']>) {
    return this.#through(() => this.#inner.dropStates(...args))
  }

  migrations(...args: Parameters<GroupStore['migrations']>) {
    return this.#inner.migrations(...args)
  }

  loadStates(...args: Parameters<GroupStore['loadStates']>) {
    return this.#inner.loadStates(...args)
  }

  parked(...args: Parameters<GroupStore['parked']>) {
    return this.#inner.parked(...args)
  }

  markDue(...args: Parameters<GroupStore['markDue']>) {
    return this.#inner.markDue(...args)
  }

  dueKeys(...args: Parameters<GroupStore['dueKeys']>) {
    return this.#inner.dueKeys(...args)
  }

  rulings(...args: Parameters<GroupStore['rulings']>) {
    return this.#inner.rulings(...args)
  }

  deferred(...args: Parameters<GroupStore['deferred']>) {
    return this.#inner.deferred(...args)
  }

  deferredKeys(...args: Parameters<GroupStore['deferredKeys']>) {
    return this.#inner.deferredKeys(...args)
  }

  deadLetters(...args: Parameters<GroupStore['deadLetters']>) {
    return this.#inner.deadLetters(...args)
  }

  dueTimers(...args: Parameters<GroupStore['dueTimers']>) {
    return this.#inner.dueTimers(...args)
  }

  firings(...args: Parameters<GroupStore['firings']>) {
    return this.#inner.firings(...args)
  }

  rule(...args: Parameters<GroupStore['rule']>) {
    return this.#through(() => this.#inner.rule(...args))
  }

  deadItems(...args: Parameters<GroupStore['deadItems']>) {
    return this.#inner.deadItems(...args)
  }

  deadCounts(...args: Parameters<GroupStore['deadCounts']>) {
    return this.#inner.deadCounts(...args)
  }

  requeued(...args: Parameters<GroupStore['requeued']>) {
    return this.#inner.requeued(...args)
  }

  mend(...args: Parameters<GroupStore['mend']>) {
    return this.#through(() => this.#inner.mend(...args))
  }

  repairEntries(...args: Parameters<GroupStore['repairEntries']>) {
    return this.#inner.repairEntries(...args)
  }

  audit(...args: Parameters<GroupStore['audit']>) {
    return this.#inner.audit(...args)
  }

  outbox(...args: Parameters<GroupStore['outbox']>) {
    return this.#inner.outbox(...args)
  }

  forwarded(...args: Parameters<GroupStore['forwarded']>) {
    return this.#through(() => this.#inner.forwarded(...args))
  }

  pendingEffects(...args: Parameters<GroupStore['pendingEffects']>) {
    return this.#inner.pendingEffects(...args)
  }

  ruleEffect(...args: Parameters<GroupStore['ruleEffect']>) {
    return this.#through(() => this.#inner.ruleEffect(...args))
  }

  effectNamed(...args: Parameters<GroupStore['effectNamed']>) {
    return this.#inner.effectNamed(...args)
  }

  deadEffects(...args: Parameters<GroupStore['deadEffects']>) {
    return this.#inner.deadEffects(...args)
  }

  requeuedEffects(...args: Parameters<GroupStore['requeuedEffects']>) {
    return this.#inner.requeuedEffects(...args)
  }

  confirmEffects(...args: Parameters<GroupStore['confirmEffects']>) {
    return this.#through(() => this.#inner.confirmEffects(...args))
  }

  async #through<T>(act: () => Promise<T>): Promise<T> {
    await this.#held?.promise
    if (this.#cut) throw new MillraceError('log.unavailable')
    try {
      return await act()
    } finally {
      this.#news()
    }
  }
}
