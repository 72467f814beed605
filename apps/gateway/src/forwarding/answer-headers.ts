/** Headers of an answer that a client may know; whatever else a service says stays inside. */
const passedBack = [
  'Content-Type',
  'ETag',
  'Retry-After',
  'WWW-Authenticate',
  'Allow',
  'Cache-Control',
  'Vary',
] as const

/** The headers of a service's answer as the public gets them. */
export function answerHeaders(answer: Response, publicUrl: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of passedBack) {
    const value = answer.headers.get(name)
    if (value !== null) headers[name] = value
  }
  const location = answer.headers.get('location')
  if (location !== null) headers['Location'] = publicLocation(location, publicUrl)
  return headers
}

/** A service knows itself by an internal address, or gives a path: the public gets the same below its own. */
function publicLocation(location: string, publicUrl: string): string {
  const { pathname, search } = new URL(location, 'http://inside.invalid')
  return `${publicUrl.replace(/\/+$/, '')}${pathname}${search}`
}
