import { createHmac, timingSafeEqual } from 'node:crypto'
import { MillraceError } from '@millrace/event'

/** Name of the hidden field that carries the token. */
export const formTokenName = 'form-token'

/**
 * The token that forms of a session carry beside its cookie. It derives from the session's own token, which no
 * other site can read, so that nothing has to be kept.
 */
export function formToken(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('form').digest('base64url')
}

/** @throws MillraceError `request.forbidden` */
export function checkFormToken(sessionToken: string, given: string | undefined): void {
  const expected = Buffer.from(formToken(sessionToken))
  const found = Buffer.from(given ?? '')
  if (found.byteLength !== expected.byteLength || !timingSafeEqual(found, expected))
    throw new MillraceError(
      'request.forbidden',
      'The form does not belong to this session; load the page again',
    )
}
