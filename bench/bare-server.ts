import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'

// What Uniq's HTTP interface is measured against: the same framework, the same body, and nothing done with it.
const event = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  type: z.string().min(1),
  source: z.string().min(1),
  subject: z.string().min(1),
  time: z.iso.datetime(),
  data: z.strictObject({
    username: z.string().min(1).max(256),
    email: z.string().min(3).max(254),
    passwordHash: z.string().startsWith('$').max(512),
  }),
  correlationid: z.string().min(1),
  traceparent: z.string(),
  datacontenttype: z.literal('application/json'),
})
const app = new Hono()
app.post('/events', async (c) => {
  const { id } = event.parse(await c.req.json())
  return c.json({ status: 'taken', id })
})
process.once('disconnect', () => process.exit())
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ port }))
