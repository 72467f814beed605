import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Event, MillraceError } from '@millrace/event'
import type { Position } from '@millrace/log'

/** What a file for `millrace fold` exports: a state, and what an event makes of it. */
export interface FoldFile {
  readonly initial: () => unknown
  readonly fold: (state: unknown, event: Event, position: Position) => unknown
  /** What of the last state is printed; by default all of it. */
  readonly result: (state: unknown) => unknown
}

/**
 * Loads a file for `millrace fold`: TypeScript that Node can run as it is.
 *
 * @throws MillraceError `fold.invalid`, whose message says what is wrong with the file
 */
export async function loadFold(file: string): Promise<FoldFile> {
  const place = path.resolve(file)
  if (!existsSync(place)) throw new MillraceError('fold.invalid', `There is no file ${file}`)
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(place).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new MillraceError('fold.invalid', `${file} cannot be loaded: ${firstLine(cause)}`, { cause })
  }
  const { initial, fold, result } = module
  if (typeof fold !== 'function')
    throw new MillraceError('fold.invalid', `${file} must export a function fold(state, event)`)
  if (!Object.hasOwn(module, 'initial'))
    throw new MillraceError('fold.invalid', `${file} must export initial: the state before the first event`)
  if (result !== undefined && typeof result !== 'function')
    throw new MillraceError('fold.invalid', `${file} exports a result that is no function of the state`)
  return {
    initial: () => (typeof initial === 'function' ? (initial as () => unknown)() : initial),
    fold: fold as FoldFile['fold'],
    result: (result as FoldFile['result'] | undefined) ?? ((state) => state),
  }
}

/** What was thrown, in one line: syntax errors come with the source above them. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.split('\n')[0] ?? ''
}
