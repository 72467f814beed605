import { inspect } from 'node:util'
import { MillraceError } from '@millrace/event'
import {
  dropReplay,
  type KeyDifference,
  type Processor,
  replay,
  type ReplayReport,
} from '@millrace/processor'
import type { RedisGroupStore, RedisLog } from '@millrace/redis'
import { exitCodes } from './exit-codes.ts'
import { maskedData } from './masked-data.ts'
import { loadProcessor } from './processor-file.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** What is to be replayed, and what then. */
export interface ReplayCommand extends OutputOptions {
  readonly processor?: string
  readonly compare?: boolean
  readonly switch?: boolean
  readonly drop?: boolean
  /** Switch although the program sets aside or gives up what the live one has handled. */
  readonly force?: boolean
  /** False: emits are counted, not compared. */
  readonly emits?: boolean
  /** Show states as they are. */
  readonly unmasked?: boolean
  /** Do it; without, only say what would be done. */
  readonly yes?: boolean
}

/** What a replay works on. */
export interface ReplayOn {
  readonly log: RedisLog
  readonly store: RedisGroupStore
}

const shown = { depth: 6, breakLength: 100, colors: false } as const

/** `millrace replay <file>`: folds a group's history anew beside the live generation. Sends nothing. */
export async function replayProcessor(
  on: ReplayOn,
  file: string,
  options: ReplayCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const processor = await loadProcessor(file, options.processor)
  if (options.drop && (options.switch || options.compare))
    throw new MillraceError('request.invalid', '--drop goes with neither --switch nor --compare')
  if (!options.yes) return await propose(on, processor, options, terminal)
  if (options.drop) {
    await dropReplay(processor, on.store)
    terminal.err.write(`The generation beside ${processor.name} is removed.\n`)
    return exitCodes.ok
  }
  return await carryOut(on, processor, options, terminal, signal)
}

async function carryOut(
  on: ReplayOn,
  processor: Processor,
  options: ReplayCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const progress = progressOn(terminal, 'Replaying')
  const began = performance.now()
  try {
    const report = await replay(processor, {
      ...on,
      signal,
      member: 'millrace-replay',
      finish: options.switch ? 'switch' : options.compare ? 'compare' : 'keep',
      force: options.force === true,
      compareEmits: options.emits !== false,
      onProgress: ({ folded, total }) => progress.update(folded, total),
    })
    progress.end()
    return tell(report, options, terminal, performance.now() - began)
  } catch (error) {
    if (signal.aborted) {
      terminal.err.write('Stopped; the live generation is as it was. The same command goes on from there.\n')
      return exitCodes.interrupted
    }
    if (!(error instanceof MillraceError && findings.has(error.code))) throw error
    terminal.err.write(`${error.message}\nThe live generation is as it was.\n`)
    return exitCodes.findings
  } finally {
    progress.end()
  }
}

const findings: ReadonlySet<string> = new Set(['replay.failed', 'replay.refused'])

async function propose(
  { log }: ReplayOn,
  { name, topic, program }: Processor,
  options: ReplayCommand,
  terminal: Terminal,
): Promise<number> {
  const events = (await log.tips(topic)).reduce((sum, { seq }) => sum + seq, 0)
  const then = options.switch
    ? ', and put it into the place of the live one'
    : options.compare
      ? ', and compare it with the live one'
      : ''
  const handler =
    program.kind === 'handler'
      ? 'What its handler does outside by itself, beside emits and effects, would happen again.\n'
      : ''
  terminal.err.write(
    options.drop
      ? `Would remove what a replay of ${name} has built.\n`
      : `Would fold ${events} events of ${topic.name} by ${name} into a generation beside the live one${then}. ` +
          `No effect is carried out, no event is appended.\n${handler}`,
  )
  terminal.err.write('Nothing was done. Add --yes to do it.\n')
  return exitCodes.ok
}

function tell(report: ReplayReport, options: ReplayCommand, terminal: Terminal, tookMs: number): number {
  const { generation, folded, resumed, withheld, emits, own, switched, differences } = report
  const { err, out } = terminal
  const keys = differences?.keys.map((key) => masked(key, options.unmasked === true)) ?? []
  if (options.json)
    out.write(`${JSON.stringify({ ...report, differences: differences && { ...differences, keys } })}\n`)
  else
    for (const { partition, key, places } of keys) {
      out.write(`${key} (partition ${partition})\n`)
      for (const { path, before, after } of places)
        out.write(`  ${path}: ${inspect(before, shown)} → ${inspect(after, shown)}\n`)
    }
  for (const { partition, seq, key, type, why } of own)
    err.write(`Event ${seq} of partition ${partition} (${type} of ${key}) was ${why}.\n`)
  const rate = tookMs > 0 ? Math.round((folded * 1_000) / tookMs) : 0
  err.write(`Folded ${folded} events (${rate}/s)${resumed > 0 ? `, ${resumed} were folded before` : ''}.\n`)
  err.write(`Withheld: ${withheld.effects} effects, ${withheld.emits} emits.\n`)
  if (emits && withheld.emits > 0)
    err.write(`Emits as on their topics: ${emits.same}; other: ${emits.different}; new: ${emits.missing}.\n`)
  if (differences)
    err.write(
      `Keys the same: ${differences.same}; different: ${differences.different}; gone on meanwhile: ${differences.moved}.\n`,
    )
  err.write(
    switched
      ? `Generation ${generation} is the live one.\n`
      : `Generation ${generation} lies beside the live one: --switch to use it, --drop to remove it.\n`,
  )
  const odd = own.length + (differences?.different ?? 0) + (emits?.different ?? 0) + (emits?.missing ?? 0)
  return odd > 0 ? exitCodes.findings : exitCodes.ok
}

function masked(difference: KeyDifference, unmasked: boolean): KeyDifference {
  if (unmasked) return difference
  return {
    ...difference,
    places: difference.places.map(({ path, before, after }) => {
      const name = path.split(/[.[\]]/).findLast((part) => part !== '' && !/^\d+$/.test(part)) ?? ''
      return { path, before: maskedData(before, name), after: maskedData(after, name) }
    }),
  }
}
