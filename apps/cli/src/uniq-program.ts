import type { Command } from 'commander'
import type { Surroundings } from './program.ts'
import { findSystem } from './running-system.ts'
import { typedIn } from './typed-in.ts'
import { type OutputOptions, type RebuildCommand, uniqGet, uniqRebuild, uniqVerify } from './uniq-commands.ts'
import { withUniq } from './uniq-system.ts'

/** Adds `millrace uniq …`. */
export function addUniq(program: Command, around: Surroundings, end: (code: number) => void): void {
  const uniq = program
    .command('uniq')
    .description('unique values: who holds them, are they right, make them anew')
  const topicOption = ['--topic <name>', 'the topic whose claims they are', 'accounts'] as const
  uniq
    .command('get <constraint> <value...>')
    .description('the key that holds a value; - reads values from stdin, one a line')
    .option(...topicOption)
    .option('--json', 'JSON on stdout')
    .action(async (constraint: string, given: string[], options: OutputOptions & { topic: string }) => {
      const values = given.length === 1 && given[0] === '-' ? await lines(around) : given
      end(
        await withUniq(findSystem(around.env), options.topic, (system) =>
          uniqGet(system, constraint, values, options, around),
        ),
      )
    })
  uniq
    .command('verify')
    .description('compare claims with the log; exit code 1 when they differ')
    .option(...topicOption)
    .option('--json', 'JSON on stdout')
    .action(async (options: OutputOptions & { topic: string }) => {
      end(
        await withUniq(findSystem(around.env), options.topic, (system) =>
          uniqVerify(system, options, around),
        ),
      )
    })
  addRebuilds(uniq, topicOption, async (options) => {
    end(
      await withUniq(findSystem(around.env), options.topic, (system) =>
        uniqRebuild(system, options, around, around.signal),
      ),
    )
  })
}

function addRebuilds(
  uniq: Command,
  topicOption: readonly [flags: string, description: string, preset: string],
  rebuild: (options: RebuildCommand & { topic: string }) => Promise<void>,
): void {
  uniq
    .command('rebuild')
    .description('make the claims anew from the log, beside the live ones, and swap them in')
    .option(...topicOption)
    .option('--closed', 'refuse claim changes meanwhile: for claims that are lost or wrong')
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(rebuild)
  uniq
    .command('rotate')
    .description('rebuild the claims under another version of UNIQ_KEYRING')
    .requiredOption('--to <version>', 'the keyring version that is live afterwards')
    .option(...topicOption)
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(rebuild)
}

async function lines(around: Surroundings): Promise<string[]> {
  return (await typedIn(around)).split('\n').filter((line) => line !== '')
}
