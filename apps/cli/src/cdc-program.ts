import type { PipelineStore } from '@millrace/source'
import type { Command } from 'commander'
import {
  cdcList,
  cdcPause,
  cdcRestart,
  cdcResume,
  cdcSnapshot,
  cdcStatus,
  withPipelines,
} from './cdc-commands.ts'
import type { Surroundings } from './program.ts'
import { findSystem } from './running-system.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Adds `millrace cdc …`. */
export function addCdc(program: Command, around: Surroundings, end: (code: number) => void): void {
  const cdc = program.command('cdc').description('change streams of databases')
  const on = async (act: (store: PipelineStore) => Promise<number>) =>
    end(await withPipelines(findSystem(around.env), act))
  cdc
    .command('ls')
    .description(
      'all pipelines: who reads them, how far behind, what is wrong; exit code 1 where one is not read',
    )
    .option('--json', 'JSON on stdout')
    .action((options: OutputOptions) => on((store) => cdcList(store, options, around)))
  cdc
    .command('status <pipeline>')
    .description('one pipeline, with its snapshots and orders')
    .option('--json', 'JSON on stdout')
    .action((pipeline: string, options: OutputOptions) =>
      on((store) => cdcStatus(store, pipeline, options, around)),
    )
  cdc
    .command('pause <pipeline>')
    .description('stop reading, also across restarts; the database keeps its log meanwhile')
    .option('--json', 'JSON on stdout')
    .action((pipeline: string, options: OutputOptions) =>
      on((store) => cdcPause(store, pipeline, options, around)),
    )
  cdc
    .command('resume <pipeline>')
    .description('go on after a pause, or after the cause of a stop was mended')
    .option('--json', 'JSON on stdout')
    .action((pipeline: string, options: OutputOptions) =>
      on((store) => cdcResume(store, pipeline, options, around)),
    )
  cdc
    .command('snapshot <pipeline>')
    .description('tell every row of a table once more, while the stream runs')
    .requiredOption('--table <schema.table>', 'the table')
    .option('--json', 'JSON on stdout')
    .action((pipeline: string, options: OutputOptions & { readonly table: string }) =>
      on((store) => cdcSnapshot(store, pipeline, options, around)),
    )
  cdc
    .command('restart <pipeline>')
    .description(
      'begin anew where the database stands, with a snapshot of every table, although changes between are lost',
    )
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action((pipeline: string, options: OutputOptions & { readonly yes?: boolean }) =>
      on((store) => cdcRestart(store, pipeline, options, around)),
    )
}
