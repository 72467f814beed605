import type { Call } from './wire.ts'

/** What a reader wants to know: all that writes. */
export function isTold(what: string): boolean {
  return /^(acquire|commit|release|confirmEffects|appendChannel|forwarded|markDue|assign)$/.test(what)
}

export function told({ request: { what, content } }: Call): string {
  const args = content as readonly {
    readonly partition?: number
    readonly token?: string
    readonly n?: number
  }[]
  const [at, said] = args
  if (what !== 'commit') return `${what} ${at?.partition ?? ''}`
  return `commit ${said?.n} of ${at?.partition} under ${said?.token?.split('-')[0]}: ${shortened(said)}`
}

export function answerOf(outcome: Call['outcome']): string {
  const text =
    outcome && 'value' in outcome ? (JSON.stringify(outcome.value) ?? 'nothing') : String(outcome?.error)
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

/** What says nothing to a reader. */
const hidden = new Set(
  `token n stack text tries version ops source time correlationid causationid fingerprint
  correlationId id eventId payload traceparent causationId type sinceMs atMs message`.split(/\s+/),
)

/** A commit, short. */
function shortened(said: object | undefined): string {
  return JSON.stringify(said, (name, value: unknown) => (hidden.has(name) ? undefined : value))
    .replaceAll('\\"', "'")
    .replaceAll('"', '')
}
