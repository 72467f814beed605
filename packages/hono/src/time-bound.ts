import { MillraceError } from '@millrace/event'

/**
 * Runs a call to another service with a time limit. Does not trust the call to heed its signal: in one
 * process the other service's handler may not.
 */
export async function withTimeLimit<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  name: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let rejectLate: (error: unknown) => void = () => undefined
  const late = new Promise<never>((_resolve, reject) => {
    rejectLate = reject
  })
  const give = (error: Error): void => {
    rejectLate(error)
    controller.abort(error)
  }
  const timer = setTimeout(() => give(unavailable(name, `did not answer within ${timeoutMs} ms`)), timeoutMs)
  const onAbort = (): void => give(unavailable(name, 'was not waited for: the caller went away'))
  if (outer?.aborted) onAbort()
  else outer?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(controller.signal), late])
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', onAbort)
  }
}

function unavailable(name: string, what: string): MillraceError {
  return new MillraceError('service.unavailable', `${name} ${what}`, {
    details: { service: name, outcome: 'unknown' },
  })
}
