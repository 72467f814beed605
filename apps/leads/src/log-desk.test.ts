import { newEvent } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { expect, test } from 'vitest'
import { createLogDesk, type LogDeskOptions } from './log-desk.ts'
import { sales } from './sales-topic.ts'

const hourMs = 3_600_000

/** A desk on a log in memory, whose time the test turns. */
function stand(mend: (log: LogDeskOptions['log']) => LogDeskOptions['log'] = (log) => log) {
  let now = Date.parse('2026-03-01T09:00:00Z')
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  const desk = createLogDesk({
    ...{ log: mend(log), clock },
    delivery: { deliver: () => Promise.reject(new Error('no mails here')) },
    mails: { product: { name: 'Sales', url: 'http://sales.example' }, messageIdHost: 'sales.example' },
    addressOf: (buyer) => `${buyer}@buyers.example`,
  })
  const offer = { kind: 'quote', offer: 'o1', car: 'c1', price: 9_000 } as const
  const context = {
    ...{ key: 'ada', correlationId: 'c', causationId: 'e' },
    signal: new AbortController().signal,
  }
  const others = async (key: string) => {
    const draft = { type: 'LeadsChanged', key, data: { low: false, high: [], open: 0 } } as const
    await log.append(sales, [{ events: [newEvent(sales, draft, clock)] }])
  }
  const types = async () =>
    (await log.readKey(sales, 'ada')).events.map(({ event }) => `${event.type} ${event.subject}`)
  return { quote: () => desk.quote(offer, context), others, types, pass: (ms: number) => (now += ms) }
}

test('what is asked for again is on the log once, also when the log has forgotten that it knows it', async () => {
  const { quote, others, types, pass } = stand()
  await others('ada')
  await quote()
  await quote()
  // Keys of the same partition, as many hours go by.
  for (let hours = 0; hours < 4; hours++) {
    pass(hourMs)
    for (let at = 0; at < 50; at++) await others(`buyer-${at}`)
  }
  await quote()
  expect(await types()).toEqual(['LeadsChanged ada', 'QuoteMade ada'])
})

test('what comes for the buyer between the look and the append is looked at as well', async () => {
  let meanwhile: (() => Promise<void>)[] = []
  const { quote, others, types } = stand((log) => ({
    readKey: (...given) => log.readKey(...given),
    append: async (...given) => {
      for (const act of meanwhile.splice(0, 1)) await act()
      return log.append(...given)
    },
  }))
  meanwhile = [() => others('ada'), () => others('ada')]
  await quote()
  expect(await types()).toEqual(['LeadsChanged ada', 'LeadsChanged ada', 'QuoteMade ada'])
})
