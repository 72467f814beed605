import { accounts } from '@millrace/accounts'
import { continueTrace, traceContextOf } from '@millrace/event'
import { afterEach, expect, test, vi } from 'vitest'
import type { CollectedSpan } from '../support/otlp-collector.ts'
import { type Break, TracedSystem } from './traced-system.ts'

let system: TracedSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const email = 'zoe.doe@example.org'

/** The visitor, who records his trace: it is to go on to the mail. */
function visitor() {
  const traceparent = continueTrace(undefined, () => true)
  const { traceId, spanId } = traceContextOf(traceparent) ?? { traceId: '', spanId: '' }
  return { traceparent, traceId, spanId }
}

async function signUp({ gateway }: TracedSystem, traceparent: string): Promise<void> {
  const answer = await fetch(`${gateway}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent, 'X-Correlation-Id': 'story-1' },
    body: JSON.stringify({ username: 'zoe', email, password: 'correct horse battery staple' }),
  })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('x-correlation-id')).toBe('story-1')
}

/** What a sign-up whose mail is put off twice looks like, each step with how often it is seen. */
const wholeStory = {
  'POST /users': 2,
  'POST user-command': 1,
  'POST uniq': 1,
  'POST /events': 1,
  'append accounts': 1,
  'claim accounts': 1,
  'process accounts': 3,
  'schedule retry.accounts.mail': 2,
  'process retry.accounts.mail': 2,
  'send mail': 3,
}

/** What is missing in a trace, or hangs in the air. */
function faultsIn(spans: readonly CollectedSpan[], root: string): string[] {
  const known = new Set([root, ...spans.map(({ spanId }) => spanId)])
  const loose = spans.filter(({ parentSpanId }) => !known.has(parentSpanId ?? ''))
  const missing = Object.entries(wholeStory).flatMap(([name, least]) => {
    const seen = spans.filter((span) => span.name === name).length
    return seen >= least ? [] : [`${name}: ${seen} of ${least}`]
  })
  return [...missing, ...loose.map(({ name }) => `${name} has no parent`)]
}

/** Runs the story, and answers the spans of the visitor's trace. */
async function story(broken: Break) {
  const running = (system = await TracedSystem.start(broken))
  const { collector, provider } = running
  const by = visitor()
  provider.faults.defer(451, '4.2.0 Greylisted, try again later', 2)
  await signUp(running, by.traceparent)
  await collector.until(({ name, failed }) => name === 'send mail' && !failed)
  await collector.until(({ name }) => name === 'commit accounts')
  const ofVisitor = () => collector.spans.filter(({ traceId }) => traceId === by.traceId)
  // Spans come in batches, each when it has ended: the mail may be told long before the attempt that has sent it.
  const whole = () => {
    const faults = broken === undefined ? faultsIn(ofVisitor(), by.spanId) : []
    if (faults.length > 0) throw new Error(faults.join('; '))
  }
  await vi.waitFor(whole, { timeout: 60_000 })
  return { running, by, spans: ofVisitor() }
}

test('a sign-up whose mail is put off twice is one connected trace, from the request to the mail', async () => {
  const { running, by, spans } = await story(undefined)
  expect(faultsIn(spans, by.spanId)).toEqual([])
  const attempts = spans.filter(({ name }) => name === 'process accounts')
  expect(attempts.map(({ failed, attributes }) => [failed, attributes['millrace.attempt']])).toEqual([
    [true, 1],
    [true, 2],
    [false, 3],
  ])
  // Each mail is below the attempt that has sent it; each of the first two has failed with the provider's answer.
  const mails = spans.filter(({ name }) => name === 'send mail')
  expect(mails.map(({ parentSpanId }) => parentSpanId)).toEqual(attempts.map(({ spanId }) => spanId))
  expect(mails.map(({ failed }) => failed)).toEqual([true, true, false])
  for (const { attributes } of attempts)
    expect(attributes['messaging.message.conversation_id']).toBe('story-1')
  // A commit settles events of many traces: it refers to the attempt, and is not below it.
  const [commit] = await running.collector.until(
    ({ name, links }) => name === 'commit accounts' && links.length > 0,
  )
  expect(commit?.links).toEqual([{ traceId: by.traceId, spanId: attempts.at(-1)?.spanId }])
  expect(commit?.traceId).not.toBe(by.traceId)
  const [mail] = running.provider.record.mails
  expect(mail?.headers.get('x-correlation-id')).toEqual(['story-1'])
  for (const { text } of running.collector.spans) expect(text).not.toMatch(/zoe\.doe|correct horse/)
})

test('every line of the log that speaks of it has its correlation id and its trace', async () => {
  const { running, by } = await story(undefined)
  const requests = running.lines.filter(({ msg }) => msg === 'request')
  expect(new Set(requests.map(({ service }) => service))).toEqual(
    new Set(['gateway', 'user-command', 'uniq']),
  )
  for (const line of requests) expect(line).toMatchObject({ correlationid: 'story-1', traceid: by.traceId })
  // A handler runs in the scope of its event, also when it was parked and has come back by a job.
  const handling = running.lines.filter(({ msg }) => msg === 'hands a mail over')
  const attempts = running.collector.spans.filter(({ name }) => name === 'process accounts')
  const causationid = attempts[0]?.attributes['messaging.message.id']
  expect(handling).toMatchObject(
    attempts.map(({ spanId: spanid }) => ({
      ...{ service: 'mail', correlationid: 'story-1', causationid, traceid: by.traceId, spanid },
    })),
  )
})

test.each<[Break & string, RegExp]>([
  ['uniq', /POST \/events: 0 of 1/],
  ['job', /process retry\.accounts\.mail: 0 of 2/],
])('a trace that is lost on its way through %s is noticed', async (broken, fault) => {
  const { by, spans } = await story(broken)
  expect(faultsIn(spans, by.spanId).join('; ')).toMatch(fault)
})

test('what is put back days later is a trace of its own, with a link to where the event came from', async () => {
  const running = (system = await TracedSystem.start(undefined))
  const { collector, provider, groups, repairs } = running
  const by = visitor()
  provider.faults.refuse(email)
  await signUp(running, by.traceparent)
  await collector.until(({ name, failed }) => name === 'process accounts' && failed)
  const letter = async () => {
    for (let partition = 0; partition < accounts.partitions; partition++) {
      const { items } = await groups.deadItems({ topic: accounts, partition, group: 'mail' }, { limit: 1 })
      if (items[0]) return { partition, seq: items[0].seq }
    }
    return undefined
  }
  let dead = await letter()
  while (!dead) {
    await collector.until(() => true)
    dead = await letter()
  }
  provider.faults.heal()
  const order = await fetch(`${repairs}/dead-letters/accounts/mail/${dead.partition}/${dead.seq}/repairs`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'X-Correlation-Id': 'repair-1',
      traceparent: visitor().traceparent,
    },
    body: JSON.stringify({ action: 'requeue', reason: 'the address exists by now' }),
  })
  expect(order.status).toBe(200)
  const [late] = await collector.until(
    ({ name, attributes }) => name === 'process accounts' && attributes['millrace.late'] === true,
  )
  const [mail] = await collector.until(({ name, failed }) => name === 'send mail' && !failed)
  const [ruling] = await collector.until(({ name }) => name === 'repair accounts')
  const [request] = await collector.until(({ name }) => name.startsWith('POST /dead-letters'))
  // The order and what it leads to are one trace, and refer to where the event came from and to who gave it.
  expect([ruling?.traceId, mail?.traceId]).toEqual([late?.traceId, late?.traceId])
  expect([late?.parentSpanId, mail?.parentSpanId]).toEqual([ruling?.spanId, late?.spanId])
  expect(late?.links).toMatchObject([{ traceId: by.traceId }])
  expect(ruling?.links).toMatchObject([
    { traceId: by.traceId },
    { traceId: request?.traceId, spanId: request?.spanId },
  ])
  await collector.until(({ spanId }) => spanId === late?.links[0]?.spanId)
  // It is still the story that began with the sign-up.
  expect(late?.attributes['messaging.message.conversation_id']).toBe('story-1')
  const [sent] = provider.record.mails
  expect(sent?.headers.get('x-correlation-id')).toEqual(['story-1'])
})
