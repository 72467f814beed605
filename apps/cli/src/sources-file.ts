import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '@millrace/event'
import type { SourceOfTruth, SourcesOfTruth } from '@millrace/processor'
import { firstLine } from './fold-file.ts'

/**
 * Loads the sources of truth of a topic: TypeScript that Node can run as it is, and that exports `sources`, by type.
 *
 * @throws MillraceError `request.invalid`, whose message says what is wrong with the file
 */
export async function loadSources(file: string): Promise<SourcesOfTruth> {
  const place = path.resolve(file)
  if (!existsSync(place)) throw new MillraceError('request.invalid', `There is no file ${file}`)
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(place).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new MillraceError('request.invalid', `${file} cannot be loaded: ${firstLine(cause)}`, { cause })
  }
  const { sources } = module
  if (typeof sources !== 'object' || sources === null || !Object.values(sources).every(isSource))
    throw new MillraceError(
      'request.invalid',
      `${file} must export sources: an object of fetch(event, signal) by type`,
    )
  return sources as SourcesOfTruth
}

function isSource(value: unknown): value is SourceOfTruth {
  return typeof value === 'object' && value !== null && 'fetch' in value && typeof value.fetch === 'function'
}
