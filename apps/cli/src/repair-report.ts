import { currentScope } from '@millrace/event'
import type { EffectOutcome, RepairOrder, RepairOutcome } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const well: ReadonlySet<string> = new Set<(RepairOutcome | EffectOutcome)['status']>([
  'ruled',
  'already',
  'settled',
])

/** Says what has become of each thing that an order was about, where it is worth a word, and in the end how many. */
export class RepairReport<Outcome extends RepairOutcome | EffectOutcome> {
  readonly #options: OutputOptions
  readonly #terminal: Terminal
  readonly #lineOf: (outcome: Outcome) => string
  readonly #counts = new Map<string, number>()

  constructor(options: OutputOptions, terminal: Terminal, lineOf: (outcome: Outcome) => string) {
    this.#options = options
    this.#terminal = terminal
    this.#lineOf = lineOf
  }

  add(outcome: Outcome): void {
    const { status, overtaken } = outcome
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1)
    const { out, err } = this.#terminal
    if (this.#options.json) out.write(`${JSON.stringify(outcome)}\n`)
    else if ((status !== 'ruled' && status !== 'already') || overtaken)
      err.write(`${this.#lineOf(outcome)}.\n`)
  }

  /** Answers the exit code. */
  end({ dryRun, id }: RepairOrder, aborted: boolean): number {
    const { err } = this.#terminal
    const counts = [...this.#counts].map(([status, count]) => `${count} ${status}`).join(', ')
    if (this.#counts.size === 0) err.write('There is nothing of that kind.\n')
    else if (dryRun) err.write(`Would do: ${counts}. Nothing was done. Add --yes to do it.\n`)
    else err.write(`${counts}. Order ${id}. Correlation id ${currentScope()?.correlationId ?? '-'}.\n`)
    if (aborted) {
      err.write(`Stopped. The same command with --order ${id} goes on from there.\n`)
      return exitCodes.interrupted
    }
    return [...this.#counts.keys()].every((status) => well.has(status)) ? exitCodes.ok : exitCodes.findings
  }
}
