/** An http(s) address in its canonical, percent-encoded form. Anything else is a mistake in the code: TypeError. */
export function webLink(link: string): string {
  const url = URL.canParse(link) ? new URL(link) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new TypeError('A mail links to http(s) only')
  return url.href
}
