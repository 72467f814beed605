import { MillraceError } from '@millrace/event'

/**
 * What an answer that is no success means for whoever has typed a command.
 *
 * @param who Who has answered.
 * @param token The setting of the token that was sent along.
 */
export async function refusalIn(answer: Response, who: string, token: string): Promise<MillraceError> {
  if (answer.status === 401)
    return new MillraceError(
      'settings.invalid',
      `${who} refuses the token: set ${token}, or MILLRACE_HOME to where secrets.json lies`,
    )
  const why = await reasonIn(answer)
  return new MillraceError(
    answer.status >= 500 ? 'service.unavailable' : 'request.invalid',
    // Whoever answers may say anything, at any length.
    `${who} answers ${answer.status}${why === undefined ? '' : `: ${why}`}`.slice(0, 500),
  )
}

/** The sentences of a problem document; undefined for anything else, such as a proxy's page. */
async function reasonIn(answer: Response): Promise<string | undefined> {
  try {
    const {
      detail,
      title,
      errors = [],
    } = (await answer.json()) as {
      readonly detail?: string
      readonly title?: string
      readonly errors?: readonly { readonly message: string }[]
    }
    return errors.length === 0 ? (detail ?? title) : errors.map(({ message }) => message).join('; ')
  } catch {
    return undefined
  }
}
