import { MillraceError } from '@millrace/event'
import { dropStates } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { groupOf } from './known-processors.ts'
import type { OrderedOptions } from './shadow-orders.ts'
import type { ShadowSystem } from './shadow-program.ts'
import { type Terminal, withProgress } from './terminal.ts'

/** Options of `millrace state drop`. */
export interface DropStateOptions extends OrderedOptions {
  readonly key?: readonly string[]
  readonly all?: boolean
  readonly history?: boolean
}

/** `millrace state drop`: drops what a group has folded of some or all keys; the next event folds it anew. */
export async function dropState(
  { store }: ShadowSystem,
  name: string,
  options: DropStateOptions,
  around: Terminal & { readonly signal: AbortSignal },
): Promise<number> {
  const { key: keys, all = false, history = false, actor: by, reason, yes = false } = options
  if ((keys === undefined) !== all) throw new MillraceError('request.invalid', 'Say either --key or --all')
  const group = await groupOf(name, options)
  const given = { store, history, by, reason, ...(keys === undefined ? {} : { keys }) }
  const expected = await dropStates(group, { ...given, dryRun: true })
  const { signal } = around
  const report = yes
    ? await withProgress(around, 'Dropping', (progress) => {
        const onProgress = (dropped: number) => progress.update(dropped, expected.records)
        return dropStates(group, { ...given, signal, onProgress })
      })
    : expected
  if (options.json) around.out.write(`${JSON.stringify({ ...report, done: yes })}\n`)
  const what = `${report.records} states${history ? `, and ${report.migrations} entries of what was taken over` : ''}`
  const then = history ? 'taken over anew' : 'folded anew from what was taken over and the log'
  around.err.write(
    yes
      ? `Dropped ${what}. Each key is ${then} with its next event.\n`
      : `Would drop ${what}. Nothing was done. Add --yes to do it.\n`,
  )
  return exitCodes.ok
}
