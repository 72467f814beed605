import { MillraceError, topic } from '@millrace/event'
import { httpApp } from '@millrace/hono'
import type { DeadItem } from '@millrace/processor'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { createExplainApi } from './explain-api.ts'

const orders = topic('orders', { partitions: 2, types: { placed: z.object({}) } })
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

function letter(seq: number, key: string, message: string): DeadItem {
  const said = { seq, key, type: 'placed', atMs: Date.UTC(2026, 10, 22, 7, seq) }
  const why = { eventId: 'e', reason: 'event.invalid', message, attempts: 1 }
  return { ...said, status: 'dead', reasonClass: 'x', letter: { ...said, ...why, id: `1-${seq}` } }
}

function pages(letters: readonly DeadItem[] = []) {
  const none = () => Promise.reject(new MillraceError('story.unknown', 'Nobody knows <it>'))
  const app = httpApp({
    logger: silent,
    context: { run: (_ids, act) => act(), current: () => undefined },
  })
  app.route(
    '/',
    createExplainApi({
      explainer: { correlation: none, event: none, key: none },
      topics: ['orders'],
      dead: {
        store: {
          deadItems: async ({ partition }) => ({ items: partition === 1 ? letters : [], next: undefined }),
        },
        groups: [{ topic: orders, group: 'shipping' }],
      },
      tokens: { operator: ['op'], viewer: [] },
    }),
  )
  return async (path: string, authorization = 'Bearer op') => {
    const answer = await app.request(path, { headers: { accept: 'text/html', authorization } })
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() }
  }
}

it('dead letters are listed, the latest first, with the way to the story of their key, for who may look', async () => {
  const get = pages([letter(1, 'order/1', 'no such <thing>'), letter(2, 'o2', 'ask ada@example.com')])
  const { status, text } = await get('/explain/dead-letters')
  expect(status).toBe(200)
  expect(text.indexOf('2026-11-22 07:02:00')).toBeLessThan(text.indexOf('2026-11-22 07:01:00'))
  expect(text).toContain('href="/explain/key/orders/order%2F1"')
  expect(text).toContain('no such &lt;thing&gt;')
  expect(text).not.toContain('ada@example.com')
  expect(await get('/explain/dead-letters', '')).toMatchObject({
    ...{ status: 303, location: '/queues/login?to=/explain/dead-letters' },
  })
})

it('where there are none, the page says so', async () => {
  expect((await pages()('/explain/dead-letters')).text).toContain('There are none')
})

it('what was asked for in vain stands in the form again, with why there is nothing', async () => {
  const get = pages()
  expect((await get('/explain?by=key/orders&id=order/1')).location).toBe('/explain/key/orders/order%2F1')
  const { status, text } = await get('/explain/key/orders/order%2F1')
  expect(status).toBe(404)
  expect(text).toContain('Nobody knows &lt;it&gt;.')
  expect(text).toMatch(/<option value="key\/orders" selected\s*>/)
  expect(text).toContain('value="order/1"')
  expect((await get('/explain')).text).not.toContain('selected')
})
