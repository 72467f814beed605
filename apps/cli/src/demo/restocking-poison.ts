import { type Event, freshId, newEvent } from '@millrace/event'
import { productKey, supply } from '@millrace-app/restocking'
import { MillraceError } from '@millrace/event'
import type { RestockingRig } from './restocking-places.ts'
import type { Counts } from './restocking-seen.ts'

/** How the door refuses what is poison. */
export const refusedAtTheDoor: Counts = { 'event.invalid': 2, 'type.unknown': 1, 'event.too-large': 1 }

/** Poison that others send over HTTP: no type, an unknown one, a broken schema, 5 MB. Answers how each was refused. */
export async function knockWithPoison(
  { url, token }: { readonly url: string; readonly token: string },
  signal: AbortSignal,
): Promise<Counts> {
  const good = { specversion: '1.0', source: '/demo', subject: productKey('DEMO'), data: {} }
  const lines = [
    { ...good, id: freshId() },
    { ...good, id: freshId(), type: 'ProductForgotten' },
    { ...good, id: freshId(), type: 'StockLevelChanged', data: { difference: 'many' } },
    {
      ...good,
      id: freshId(),
      type: 'StockLevelChanged',
      data: { difference: 1, why: 'x'.repeat(5_000_000) },
    },
  ]
  const answer = await fetch(`${url}/topics/supply/events`, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  })
  const { results = [] } = (await answer.json()) as { results?: readonly { code?: string }[] }
  const counts: Record<string, number> = {}
  for (const { code = 'taken' } of results) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

/**
 * Poison that lies on the log anyway, as a program would leave it that knows other types than we do: each of these must
 * become a dead letter. Answers how many of each reason.
 */
export async function leavePoison({ log }: Pick<RestockingRig, 'log'>, many: number): Promise<Counts> {
  const events = Array.from({ length: many }, (_, at): readonly Event[] => {
    const key = productKey(`DEMO${at}`)
    const good = newEvent(supply, { type: 'StockLevelChanged', key, data: { difference: 1 } })
    return [
      { ...good, id: freshId(), type: 'ProductForgotten' },
      { ...good, id: freshId(), data: { difference: 'many' } },
    ]
  })
  const results = await log.append(
    supply,
    events.map((unit) => ({ events: unit })),
  )
  for (const result of results) if (result.status === 'refused') throw result.error
  return { 'type.unknown': many, 'event.invalid': many }
}

/** Tells what products are now, as they are published: over HTTP, a line each. */
export async function publish(
  { url, token }: { readonly url: string; readonly token: string },
  products: readonly { readonly id: string }[],
  signal: AbortSignal,
): Promise<void> {
  if (products.length === 0) return
  const lines = products.map(({ id, ...data }) =>
    JSON.stringify({
      ...{ specversion: '1.0', id: freshId(), source: '/demo/catalogue', type: 'ProductInformation' },
      ...{ subject: productKey(id), data },
    }),
  )
  const answer = await fetch(`${url}/topics/supply/events`, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  })
  if (answer.status !== 200)
    throw new MillraceError('service.failed', `The intake answers ${answer.status}: ${await answer.text()}`)
}
