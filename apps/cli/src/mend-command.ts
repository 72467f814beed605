import type { MendPart } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import type { Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Options of `millrace mend`. */
export interface MendOptions extends OutputOptions {
  readonly topic: string
  readonly group: string
  readonly partition: number
  readonly part: MendPart
  readonly actor: string
  readonly reason: string
  readonly yes?: boolean
}

/** `millrace mend`: makes indexes or counters of a group anew. Without --yes it says what would become different. */
export async function mendGroup(on: LogSystem, options: MendOptions, terminal: Terminal): Promise<number> {
  const { part, actor: by, reason, yes = false } = options
  let code: number = exitCodes.ok
  for (const at of partitionsNamed(options)) {
    const result = await on.groups.mend(at, { part, by, reason, dryRun: !yes })
    if (options.json) terminal.out.write(`${JSON.stringify({ ...result, dryRun: !yes })}\n`)
    if (result.status === 'large') {
      terminal.err.write(
        `There are ${result.items} items: too many to be read in one step. Nothing was done.\n`,
      )
      code = exitCodes.findings
      continue
    }
    const { moreDone } = result
    const done =
      moreDone === 0 ? '' : ` ${Math.abs(moreDone)} ${moreDone > 0 ? 'more' : 'fewer'} events count as done.`
    const lost =
      part === 'counters' ? ' What lies in the structures is taken for true; what was lost stays lost.' : ''
    terminal.err.write(
      yes
        ? `The ${part} were made anew.${done}\n`
        : `Would make the ${part} anew.${done}${lost} Nothing was done. Add --yes to do it.\n`,
    )
  }
  return code
}
