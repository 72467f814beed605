import { MillraceError } from '@millrace/event'

/** What a caller tells answers apart by. */
export interface Outcome {
  readonly status?: string
  readonly answer?: unknown
  readonly code?: string
  readonly fault?: string
  readonly details?: unknown
  readonly mistake?: string
}

/** What a call comes to. */
export async function outcome(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    const answer = await call()
    const said = typeof answer === 'object' && answer !== null && 'status' in answer
    return said ? { status: String(answer.status), answer } : { answer }
  } catch (error) {
    if (error instanceof TypeError) return { mistake: error.message }
    if (!(error instanceof MillraceError)) throw error
    const { code, details } = error
    const { fault } = details
    return typeof fault === 'string' ? { code, fault, details } : { code }
  }
}
