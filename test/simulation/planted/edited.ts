import type { Planted } from './planted-bugs.ts'

/** A source with one place changed. Throws when it does not have that place, once. */
export function edited(source: string, { file, find, put }: Planted['edits'][number]): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`${file} has this ${parts.length - 1} times, not once: ${find}`)
  return parts.join(put)
}
