// What the sender writes itself. A caller that set one of these could add recipients or forge the sender.
const reserved =
  /^(?:to|cc|bcc|from|sender|reply-to|subject|date|message-id|mime-version|content-.*|received|return-path|delivered-to|resent-.*|dkim-.*|arc-.*|authentication-results)$/i
const fieldName = /^[a-z0-9][a-z0-9-]{0,75}$/i

/** One line of a header: no control or line-breaking character survives, so no header can be added. */
export function headerText(value: string, maxLength = 200): string {
  const line = value
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).toWellFormed()}…`
}

/** The extra headers of a mail. A reserved or malformed name is a mistake in the code: it throws a TypeError. */
export function extraHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (!fieldName.test(name) || reserved.test(name)) {
        throw new TypeError(`A mail may not set the header ${JSON.stringify(name)}`)
      }
      return [name, headerText(value)]
    }),
  )
}
