import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '@millrace/event'
import type { Processor } from '@millrace/processor'
import { firstLine } from './fold-file.ts'

/**
 * Loads the processor that a file exports: TypeScript that Node can run as it is. Where it exports several, `name` says
 * which one.
 *
 * @throws MillraceError `request.invalid`, whose message says what is wrong with the file
 */
export async function loadProcessor(file: string, name: string | undefined): Promise<Processor> {
  const refuse = (why: string, cause?: unknown) =>
    new MillraceError('request.invalid', why, cause === undefined ? {} : { cause })
  const place = path.resolve(file)
  if (!existsSync(place)) throw refuse(`There is no file ${file}`)
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(place).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw refuse(`${file} cannot be loaded: ${firstLine(cause)}`, cause)
  }
  const all = Object.values(module).filter(isProcessor)
  const names = all.map((one) => one.name).join(', ')
  if (all.length === 0) throw refuse(`${file} exports no processor`)
  const found = name === undefined ? all : all.filter((one) => one.name === name)
  const [first, second] = found
  if (first === undefined) throw refuse(`${file} exports no processor "${name}"; it exports ${names}`)
  if (second !== undefined) throw refuse(`${file} exports ${names}: say which one with --processor`)
  return first
}

function isProcessor(value: unknown): value is Processor {
  if (typeof value !== 'object' || value === null) return false
  return 'name' in value && 'topic' in value && 'program' in value && 'effects' in value
}
