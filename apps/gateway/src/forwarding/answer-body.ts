import { MillraceError } from '@millrace/event'

/**
 * Reads the whole body of a service's answer.
 *
 * @throws MillraceError `service.unavailable` when it is not there by the deadline or breaks off,
 *   `service.failed` when it is larger than it may be
 */
export async function readWithin(
  answer: Response,
  name: string,
  maxBytes: number,
  deadline: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const body: ReadableStream<Uint8Array> | null = answer.body
  const reader = body?.getReader()
  if (!reader) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let size = 0
  // Cancelling settles a read that would wait for ever.
  const onLate = (): void => void reader.cancel().catch(() => undefined)
  deadline.addEventListener('abort', onLate, { once: true })
  if (deadline.aborted) onLate()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (deadline.aborted) throw unavailable(name, 'did not finish its answer in time')
      if (done) return Buffer.concat(chunks)
      size += value.byteLength
      if (size > maxBytes)
        throw new MillraceError('service.failed', `${name} answered more than ${maxBytes} bytes`)
      chunks.push(value)
    }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw unavailable(name, 'broke off its answer', error)
  } finally {
    deadline.removeEventListener('abort', onLate)
    reader.cancel().catch(() => undefined)
  }
}

function unavailable(name: string, what: string, cause?: unknown): MillraceError {
  return new MillraceError('service.unavailable', `${name} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { service: name, outcome: 'unknown' },
  })
}
