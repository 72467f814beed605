import { readFileSync } from 'node:fs'

/** The text of a `.lua` file beside this module, with the pieces that its `-- @include <file>` lines name put in. */
export function scriptSource(file: string): string {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  return text.replace(/^-- @include (\S+)$/gm, (_, piece: string) => scriptSource(piece).trimEnd())
}
