import { readFile } from 'node:fs/promises'
import { MillraceError, parseJson } from '@millrace/event'
import type { Surroundings } from './program.ts'
import { typedIn } from './typed-in.ts'

/**
 * What an edit is to put in the place of data: all of them, from a file or stdin, or a JSON merge patch.
 *
 * @throws MillraceError `request.invalid`, `json.invalid`
 */
export async function correctionOf(
  { data, patch }: { readonly data?: string; readonly patch?: string },
  around: Surroundings,
): Promise<{ readonly data: unknown } | { readonly patch: unknown }> {
  if ((data === undefined) === (patch === undefined))
    throw new MillraceError('request.invalid', 'An edit needs either --data or --patch')
  if (patch !== undefined) return { patch: parseJson(patch) }
  const text = data === '-' ? await typedIn(around) : await fileNamed(data ?? '')
  return { data: parseJson(text) }
}

async function fileNamed(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('request.invalid', `${file} cannot be read`, { cause })
  }
}
