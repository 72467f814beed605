import { createHash } from 'node:crypto'
import { maskText, MillraceError } from '@millrace/event'

/** A class of failures: what has the same cause has the same one, whatever event it befell. */
export interface Fingerprint {
  /** 12 characters, for grouping and filters. */
  readonly id: string
  /** The class in words: code or name, and the message without what differs from case to case. */
  readonly reason: string
}

const mostMessage = 300

/** Everything that differs from one failure to the next of the same cause, and what stands for it. */
const varying: readonly (readonly [pattern: RegExp, word: string])[] = [
  [/[a-z][a-z0-9+.-]{0,20}:\/\/\S{1,512}/gi, '<url>'],
  [/(?:"[^"\n]{1,80}"|[^\s@<>"'(),;:=\\[\]/*]{1,80})@[^\s@<>"'(),;:=\\/]{1,320}/g, '<address>'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '<host>'],
  [/"[^"\n]{0,200}"|'[^'\n]{0,200}'|`[^`\n]{0,200}`/g, '<text>'],
  // Ids of any make: a word with a digit in it. Codes such as E2BIG and SQLSTATE classes go the same way; their place
  // is the error's code, not its message.
  [/[\w-]*\d[\w-]*(?:\.\d+)*/g, '<n>'],
]

/** The class of a failure. Stable over ids, numbers, times and addresses in its message; shows no secret. */
export function fingerprintOf(error: unknown): Fingerprint {
  const name = nameOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const reason = `${name}: ${stripped(message)}`.trim()
  return { id: createHash('sha256').update(reason).digest('hex').slice(0, 12), reason }
}

/** A message without what differs from case to case. */
function stripped(message: string): string {
  let text = message.slice(0, mostMessage * 3)
  for (const [pattern, word] of varying) text = text.replace(pattern, word)
  // What looks like a secret and is none of these.
  return maskText(text.slice(0, mostMessage * 2))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, mostMessage)
    .toWellFormed()
}

function nameOf(error: unknown): string {
  if (error instanceof MillraceError) return error.code
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return code === undefined ? error.name : `${error.name} ${code}`
}
