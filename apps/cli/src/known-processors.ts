import { MillraceError, type Topic } from '@millrace/event'
import { serviceClient } from '@millrace/hono'
import type { Processor } from '@millrace/processor'
import { loadProcessor } from './processor-file.ts'
import { findService } from './running-system.ts'

const nobody = () => Promise.reject(new TypeError('The command line carries no effect out'))
const desk = { quote: nobody, contact: nobody, call: nobody, tellAccepted: nobody }

/** A group by its name, and the topic that it follows. */
export type NamedGroup = Pick<Processor, 'name' | 'topic'>

/** What a command is told of the processor that it is about. */
export interface ProcessorOptions {
  /** A TypeScript file that exports it; by default it is one of the services. */
  readonly file?: string
}

/**
 * The processor of this name: of a file, or of the services that take over from another system.
 *
 * @throws MillraceError `group.unknown`; `settings.invalid`; `request.invalid`
 */
export async function processorNamed(
  name: string,
  { file }: ProcessorOptions,
  env: NodeJS.ProcessEnv,
): Promise<Processor> {
  if (file !== undefined) return loadProcessor(file, name)
  if (name !== 'leads') throw unknown(name)
  const { url: baseUrl, token } = findService(env, 'LEGACY_LEADS', 3_008)
  const { leadsProcessor, legacyOverHttp } = await import('@millrace-app/leads')
  const client = serviceClient({ name: 'legacy-leads', baseUrl, token })
  const leads = leadsProcessor({ desk, legacy: legacyOverHttp(client) })
  return leads as Processor<Topic, unknown> as Processor
}

/** Name and topic of a group, which need no other system. @throws MillraceError `group.unknown`, `request.invalid` */
export async function groupOf(name: string, { file }: ProcessorOptions): Promise<NamedGroup> {
  if (file !== undefined) return loadProcessor(file, name)
  if (name !== 'leads') throw unknown(name)
  const { leadsProcessor } = await import('@millrace-app/leads')
  return { name, topic: leadsProcessor({ desk }).topic }
}

function unknown(name: string): MillraceError {
  return new MillraceError(
    'group.unknown',
    `No service called "${name}" takes over from another system; leads does. Name a file with --file for others`,
  )
}
