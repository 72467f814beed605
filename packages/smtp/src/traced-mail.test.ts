import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { runInScope, type Work, workChannel } from '@millrace/event'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMailDelivery, createRestMailSender, type Mail } from './index.ts'

let works: Work[]
const hear = (work: unknown) => void works.push(work as Work)
beforeEach(() => {
  works = []
  subscribe(workChannel, hear)
})
afterEach(() => unsubscribe(workChannel, hear))

const mail: Mail = {
  ...{ to: 'zoe.doe@example.org', subject: 'Hello', text: 'Hello', html: '<p>Hello' },
  messageId: '<e-1@millrace.example>',
  headers: { 'X-Correlation-Id': 'story-1' },
}
const scope = (flags: string) => ({
  correlationId: 'story-1',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`,
})

/** Sends one mail to a provider's REST interface that answers so, in the scope of an event. */
async function sent(flags: string, ...statuses: readonly number[]) {
  const asked: Headers[] = []
  const sender = createRestMailSender({
    ...{ url: 'https://provider.example/mails', token: 'a-token', from: { address: 'us@millrace.example' } },
    fetch: async (_, init) => {
      asked.push(new Headers(init?.headers))
      return new Response('{}', { status: statuses[asked.length - 1] ?? 200 })
    },
  })
  const delivery = createMailDelivery(sender, { firstProbeMs: 1, maxProbeMs: 2, retryMs: 1 })
  await runInScope(scope(flags), () => delivery.deliver(mail, { idempotencyKey: 'e-1' }))
  await delivery.stop()
  return asked
}

test('a provider is asked under the ids of the event, and each attempt is told of, without the address', async () => {
  const asked = await sent('01', 503)
  expect(asked.map((headers) => headers.get('x-correlation-id'))).toEqual(['story-1', 'story-1'])
  expect(asked.map((headers) => headers.get('traceparent'))).toEqual([
    scope('01').traceparent,
    scope('01').traceparent,
  ])
  expect(works).toMatchObject([
    { kind: 'mail', messageId: mail.messageId, correlationId: 'story-1', parent: scope('01').traceparent },
    { kind: 'mail', messageId: mail.messageId, correlationId: 'story-1', parent: scope('01').traceparent },
  ])
  expect(works.map(({ error }) => error !== undefined)).toEqual([true, false])
  expect(JSON.stringify(works)).not.toContain('zoe')
})

test('of a trace that is not recorded only the attempt that fails is told', async () => {
  await sent('00', 503)
  expect(works).toMatchObject([{ kind: 'mail', error: { code: 'mail.temporary' } }])
})
