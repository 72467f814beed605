import { MillraceError } from '@millrace/event'
import type { Context } from 'hono'
import { type BodyLimits, readBody, utf8 } from './body.ts'
import type { KitEnv } from './environment.ts'
import { mediaType } from './json-body.ts'

/** Most fields of a form. */
const mostFields = 100

/**
 * Reads a form that a page posted (`application/x-www-form-urlencoded`): text by name, the first where a name
 * comes twice. The object has no prototype.
 *
 * @throws MillraceError `request.media-type`, `request.malformed` (encoding, U+0000, too many fields) and those
 *   of {@link readBody}
 */
export async function readForm<E extends KitEnv>(
  c: Context<E>,
  limits: BodyLimits = {},
): Promise<Readonly<Record<string, string>>> {
  const type = mediaType(c.req.header('content-type'))
  if (type !== 'application/x-www-form-urlencoded')
    throw new MillraceError(
      'request.media-type',
      'The content type must be application/x-www-form-urlencoded',
    )
  const parts = utf8(await readBody(c, limits))
    .split('&')
    .filter((part) => part !== '')
  if (parts.length > mostFields)
    throw new MillraceError('request.malformed', `A form has at most ${mostFields} fields`)
  const fields = Object.create(null) as Record<string, string>
  for (const part of parts) {
    const at = part.indexOf('=')
    const name = decoded(at < 0 ? part : part.slice(0, at))
    fields[name] ??= at < 0 ? '' : decoded(part.slice(at + 1))
  }
  return fields
}

function decoded(text: string): string {
  let plain: string
  try {
    plain = decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new MillraceError('request.malformed', 'The form has an invalid percent-encoding', { cause })
  }
  if (plain.includes('\0'))
    throw new MillraceError('request.malformed', 'The form holds the character U+0000')
  return plain
}
