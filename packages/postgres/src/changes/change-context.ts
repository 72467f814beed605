import type { ChangeContext } from '@millrace/source'

/**
 * Reads what a transaction says about itself by `pg_logical_emit_message(true, 'millrace.correlation', …)`: a correlation id,
 * or JSON with `correlationid`, `causationid`, `traceparent`, `actor`. What is none of these is left out: it must not stop a
 * stream.
 */
export function contextOf(content: string): ChangeContext {
  if (!content.startsWith('{')) return isShort(content) ? { correlationId: content } : {}
  let said: unknown
  try {
    said = JSON.parse(content)
  } catch {
    return {}
  }
  const of = (name: string): string | undefined => {
    const value: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, name) : undefined
    return isShort(value) ? value : undefined
  }
  const [correlationId, causationId, traceparent, actor] = [
    of('correlationid'),
    of('causationid'),
    of('traceparent'),
    of('actor'),
  ]
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(actor === undefined ? {} : { actor }),
  }
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]{1,200}$/.test(value)
}
