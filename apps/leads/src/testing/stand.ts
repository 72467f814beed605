import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import type { Mail } from '@millrace/smtp'
import { createLeads, type LeadsOptions } from '../leads-service.ts'
import { createLogDesk } from '../log-desk.ts'
import { createMemorySalesView } from '../view/memory-sales-rows.ts'

const quiet = { info: ignore, warn: ignore, error: ignore, debug: ignore }
function ignore(): void {}

/** The service on everything in memory, with the mails that it has sent. */
export async function startLeads(options: Partial<LeadsOptions> = {}) {
  const log = createMemoryLog()
  const mails: Mail[] = []
  const desk = createLogDesk({
    log,
    delivery: {
      deliver: async (mail) => {
        mails.push(mail)
        return { outcome: 'sent', receipt: { messageId: mail.messageId, answer: 'ok' } }
      },
    },
    mails: { product: { name: 'Sales', url: 'http://sales.example' }, messageIdHost: 'sales.example' },
    addressOf: (buyer) => `${buyer}@buyers.example`,
  })
  const service = createLeads({
    ...{ log, desk },
    groups: createMemoryGroupStore({ log }),
    view: createMemorySalesView(),
    tokens: ['token'],
    // Whoever waits is not turned away, however long this process stands still.
    waitMs: 60_000,
    idempotencySecret: new Uint8Array(32),
    http: { logger: quiet, context: { run: (_, act) => act(), current: () => undefined } },
    ...options,
  })
  await service.start()
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await service.app.request(path, {
      method,
      headers: {
        Authorization: 'Bearer token',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
  }
  return { service, log, mails, call }
}

/** What of an answer tests look into; the rest they compare whole. */
export interface Answer {
  readonly tasks?: readonly Readonly<Record<string, unknown>>[]
  readonly leads?: readonly { readonly buyer: string }[]
  readonly [name: string]: unknown
}
