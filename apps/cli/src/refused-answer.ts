import { MillraceError } from '@millrace/event'

/**
 * What an answer that is no success means for whoever has typed a command.
 *
 * @param who Who has answered.
 * @param token The setting of the token that was sent along.
 */
export async function refusalIn(answer: Response, who: string, token: string): Promise<MillraceError> {
  const why = await reasonIn(answer)
  if (answer.status === 401)
    return new MillraceError(
      'settings.invalid',
      `${who} refuses the token: set ${token}, or MILLRACE_HOME to where secrets.json lies`,
    )
  return new MillraceError(
    answer.status >= 500 ? 'service.unavailable' : 'request.invalid',
    `${who} answers ${answer.status}${why === undefined ? '' : `: ${why}`}`,
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
