import type { Status, Suggestion } from './suggestion.ts'

/** A failure that the service has explained. */
class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

interface Page {
  readonly suggestions: readonly Suggestion[]
  readonly next?: string
  readonly feed: number
}

/** A result of several. */
interface Result {
  readonly id: string
  readonly status?: Status
  readonly problem?: { readonly code: string; readonly detail: string }
}

const rowsAtOnce = 2_000

/** All suggestions of a status, page by page, and where the stream goes on from. */
export async function listAll(
  status: Status,
  onPage: (page: readonly Suggestion[]) => void,
  signal: AbortSignal,
): Promise<number> {
  let feed: number | undefined
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams({ status, limit: String(rowsAtOnce), ...(after ? { after } : {}) })
    const page = (await call(`/suggestions?${query.toString()}`, { signal })) as Page
    // What has changed since the first page is told by the stream.
    feed ??= page.feed
    onPage(page.suggestions)
    if (page.next === undefined) return feed
    after = page.next
  }
}

export async function read(id: string): Promise<Suggestion> {
  return (await call(`/suggestions/${encodeURIComponent(id)}`, {})) as Suggestion
}

export async function carryOut(id: string): Promise<Suggestion> {
  return (await call(`/suggestions/${encodeURIComponent(id)}/carry-out`, posted())) as Suggestion
}

export async function carryOutMany(ids: readonly string[]): Promise<readonly Result[]> {
  const { results } = (await call('/suggestions/carry-out', posted({ ids }))) as {
    results: readonly Result[]
  }
  return results
}

export async function decide(
  id: string,
  action: 'dismiss' | 'snooze' | 'reopen' | 'attention',
  body?: object,
): Promise<Suggestion> {
  return (await call(`/suggestions/${encodeURIComponent(id)}/${action}`, posted(body))) as Suggestion
}

/** Address of the stream of news. */
export function streamAddress(after: number): string {
  return `/api/suggestions/stream?after=${after}`
}

function posted(body?: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }
}

async function call(path: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(`/api${path}`, init)
  const body: unknown = await answer.json().catch(() => undefined)
  if (answer.ok) return body
  const { detail, title } = (body ?? {}) as { detail?: string; title?: string }
  throw new Refusal(answer.status, detail ?? title ?? `The service answered ${answer.status}`)
}
