import { inspect } from 'node:util'
import { compareShadow, type ShadowDifference } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { processorNamed, type ProcessorOptions } from './known-processors.ts'
import { maskedData } from './masked-data.ts'
import type { ShadowSystem } from './shadow-program.ts'
import { type Terminal, withProgress } from './terminal.ts'

/** Options of `millrace shadow <group>`. */
export interface DifferencesOptions extends ProcessorOptions {
  readonly key?: string
  readonly limit: number
  readonly settle: number
  readonly unmasked?: boolean
  readonly json?: boolean
}

const shown = { depth: 4, breakLength: 100, colors: false } as const

/** `millrace shadow <group>`: keys whose states differ from what the other system has, field by field. */
export async function listDifferences(
  { log, store }: ShadowSystem,
  group: string,
  options: DifferencesOptions,
  around: Terminal & { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<number> {
  const { key, limit, settle, unmasked = false } = options
  const processor = await processorNamed(group, options, around.env)
  const report = await withProgress(around, 'Comparing', (progress) =>
    compareShadow(processor, {
      ...{ log, store, most: limit, settleMs: settle, signal: around.signal },
      ...(key === undefined ? {} : { keys: [key] }),
      onProgress: (compared) => {
        if (compared % 1_000 === 0) progress.update(compared, compared)
      },
    }),
  )
  const { same, different, moved, untouched, unanswered, fields } = report
  const differences = report.differences.map((one) => (unmasked ? one : masked(one)))
  if (options.json) {
    const counts = { same, different, moved, untouched, unanswered }
    around.out.write(`${JSON.stringify({ ...counts, fields: Object.fromEntries(fields), differences })}\n`)
  } else for (const one of differences) tell(one, around)
  around.err.write(`Keys the same: ${same}; different: ${different}; gone on meanwhile: ${moved}.\n`)
  if (untouched > 0) around.err.write(`Keys that ${group} has not taken over yet: ${untouched}.\n`)
  if (unanswered > 0) around.err.write(`The other system gave no answer for ${unanswered} keys.\n`)
  for (const [field, count] of fields) if (count > 0) around.err.write(`  ${field}: ${count}\n`)
  return different > 0 ? exitCodes.findings : unanswered > 0 ? exitCodes.unavailable : exitCodes.ok
}

function tell({ key, partition, fields, waits, events }: ShadowDifference, { out }: Terminal): void {
  out.write(`${key} (partition ${partition}${waits === undefined ? '' : `, ${waits} events`})\n`)
  for (const { field, here, there } of fields)
    out.write(`  ${field}: here ${inspect(here, shown)}, there ${inspect(there, shown)}\n`)
  for (const { position, type, time, id } of events)
    out.write(`    ${position.partition}/${position.seq} ${time} ${type} ${id}\n`)
}

function masked(difference: ShadowDifference): ShadowDifference {
  const fields = difference.fields.map(({ field, here, there }) => ({
    field,
    here: maskedData(here, field),
    there: maskedData(there, field),
  }))
  return { ...difference, fields }
}
