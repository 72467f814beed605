import type { Command } from 'commander'
import { withLog } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { webAddress } from './option-values.ts'
import { uploadCatalogue } from './restocking-catalogue.ts'
import { initialiseRestocking, restockingSettled } from './restocking-initialise.ts'
import { findRestocking } from './restocking-place.ts'
import { findSystem } from './running-system.ts'
import type { OutputOptions } from './uniq-commands.ts'

interface Options extends OutputOptions {
  readonly url?: string
}

/** Adds `millrace restocking …`. */
export function addRestocking(program: Command, around: Surroundings, end: (code: number) => void): void {
  const restocking = program.command('restocking').description('suggestions about purchase orders')
  const place = ({ url }: Options) => findRestocking(around.env, url)
  restocking
    .command('initialise')
    .description('fill the system from the central database; may be repeated at any time')
    .option('--wait', 'until every verdict is in the view')
    .option(
      '--url <base>',
      'restocking. Default: RESTOCKING_URL, else RESTOCKING_PORT on this machine',
      webAddress,
    )
    .option('--json', 'JSON on stdout')
    .action(async (options: Options & { readonly wait?: boolean }) => {
      const { signal } = around
      if (!options.wait) return end(await initialiseRestocking(place(options), options, around, signal))
      const waiting = await withLog(findSystem(around.env), (on) =>
        initialiseRestocking(place(options), options, around, signal, (onLag) =>
          restockingSettled(on, signal, onLag),
        ),
      )
      return end(waiting)
    })
  restocking
    .command('catalogue <file>')
    .description('upload product information, a product a line; repeated, it goes on where it broke off')
    .option(
      '--url <base>',
      'restocking. Default: RESTOCKING_URL, else RESTOCKING_PORT on this machine',
      webAddress,
    )
    .option('--json', 'JSON on stdout')
    .action(async (file: string, options: Options) =>
      end(await uploadCatalogue(place(options), file, options, around, around.signal)),
    )
}
