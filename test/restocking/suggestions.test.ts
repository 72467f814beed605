import { MillraceError } from '@millrace/event'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { eventually, inDays, openScene, type Scene } from './scene.ts'
import { orderKey } from '@millrace-app/restocking'

let server: TestPostgres
let scene: Scene
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())
beforeEach(async () => {
  scene = await openScene(server.url)
  await scene.startInstance()
})
afterEach(() => scene.close())

/** An order that is to be brought forward, because there is no stock. */
async function urgent(): Promise<string> {
  const order = await scene.place()
  await scene.product()
  await scene.stock(5)
  await scene.tell('PurchaseOrderCreated', orderKey(order.id), { id: order.id })
  const id = `${order.id}.1.v1.bring-forward`
  await scene.until(id, ({ status }) => status === 'open')
  return id
}

const orderOf = (id: string) => id.split('.')[0] ?? ''
const carryOut = (id: string, headers: Record<string, string> = {}) =>
  scene.call(`/suggestions/${id}/carry-out`, undefined, headers)

describe('suggestions', () => {
  test('nobody is served without a token', async () => {
    const service = await scene.startInstance()
    expect((await service.app.request('/suggestions')).status).toBe(401)
  })

  test('an order of which only the id is told is looked up, reviewed and listed with reason and numbers', async () => {
    const id = await urgent()
    const { body } = await scene.get('/suggestions?supplier=S1&status=open')
    expect(body).toMatchObject({
      suggestions: [
        {
          id,
          kind: 'bring-forward',
          productName: 'Hinge',
          proposedDueOn: inDays(7),
          numbers: { stock: 5, reorderLevel: 70 },
          reason: 'The stock of 5 pieces is below the reorder level of 70, and the order is due in 30 days.',
        },
      ],
    })
    expect((await scene.get('/suggestions?supplier=S2')).body['suggestions']).toEqual([])
  })

  test('whatever comes first, the rest is waited for, and why there is no suggestion has an answer', async () => {
    const order = await scene.place()
    await scene.echo(order)
    const verdict = (kind: string) =>
      eventually(async () => {
        const { body } = await scene.get(`/orders/${order.id}/verdicts`)
        const [line] = body['lines'] as { kind: string; reason: string }[]
        return line?.kind === kind ? line : undefined
      })
    expect((await verdict('waiting')).reason).toBe('Waiting for the product.')
    await scene.product()
    await eventually(async () => {
      const { body } = await scene.get(`/orders/${order.id}/verdicts`)
      return JSON.stringify(body).includes('stock level') ? true : undefined
    })
    await scene.stock(100)
    expect(await verdict('keep')).toMatchObject({ numbers: { stock: 100, lastsDays: 10 } })
    await scene.stock(-95)
    await verdict('bring-forward')
  }, 30_000)

  test('the owner of the orders is away: the key waits, others go on, and it comes', async () => {
    const service = scene.startInstance
    await scene.stopInstances()
    let away = true
    await service({
      purchasing: {
        order: async (id) => {
          if (away) throw new MillraceError('service.unavailable', 'No answer')
          return { ...(await scene.place()), id }
        },
        carryOut: () => Promise.reject(new Error('not here')),
        supplier: () => Promise.reject(new Error('not here')),
      },
    })
    await scene.product()
    await scene.stock(5)
    await scene.tell('PurchaseOrderCreated', orderKey('OX'), { id: 'OX' })
    const other = await scene.place()
    await scene.echo(other)
    await scene.until(`${other.id}.1.v1.bring-forward`, ({ status }) => status === 'open')
    expect((await scene.get('/suggestions/OX.1.v1.bring-forward')).status).toBe(404)
    away = false
    await scene.until('OX.1.v1.bring-forward', ({ status }) => status === 'open')
  }, 30_000)

  test('an order that comes to its end withdraws what was suggested', async () => {
    const id = await urgent()
    await scene.echo(await scene.ofPurchasing(`/orders/${orderOf(id)}/deliver`))
    const gone = await scene.until(id, ({ status }) => status === 'withdrawn')
    expect(gone.statusReason).toContain('come to its end')
  })

  test('the source of the stock makes no difference: told by a change stream or by an intake', async () => {
    const [one, two] = [
      await scene.place(),
      await scene.place([{ product: 'P2', quantity: 20, dueOn: inDays(30) }]),
    ]
    await scene.product('P1')
    await scene.product('P2')
    await scene.echo(one)
    await scene.echo(two)
    for (const [at, difference] of [30, 40, -20, 5].entries()) {
      await scene.stock(difference, 'P1')
      await scene.tell('StockLevelChanged', 'product/P2', {
        difference,
        lsn: (at + 1).toString(16).padStart(16, '0'),
      })
    }
    const both = (kind: string) =>
      eventually(async () => {
        const verdicts = await Promise.all(
          [one, two].map((order) => scene.get(`/orders/${order.id}/verdicts`)),
        )
        const lines = verdicts.map(({ body }) => (body['lines'] as { kind: string }[])[0])
        return lines.every((line) => line?.kind === kind) ? true : undefined
      })
    expect(await both('bring-forward')).toBe(true)
    await scene.stock(100, 'P1')
    await scene.tell('StockLevelChanged', 'product/P2', { difference: 100, lsn: '9'.padStart(16, '0') })
    expect(await both('keep')).toBe(true)
  }, 30_000)
})

describe('one click', () => {
  test('changes the order, mails the supplier once, and both carry the id of the click', async () => {
    const id = await urgent()
    const headers = { 'x-correlation-id': 'click-1', 'idempotency-key': 'k1' }
    const answers = [await carryOut(id, headers), await carryOut(id, headers)]
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
      [200, 'completed'],
      [200, 'completed'],
    ])
    expect(scene.mails).toEqual([
      { to: 'orders@hinges.example', id, key: `carry-out:${id}#1:mail-supplier`, correlationId: 'click-1' },
    ])
    const again = await carryOut(id, { 'idempotency-key': 'another' })
    expect([again.status, again.body['code']]).toEqual([409, 'suggestion.decided'])
    expect(scene.troubles).toEqual([])
  })

  test('two planners at once: one of them has it, one mail goes out', async () => {
    const id = await urgent()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => carryOut(id, { 'x-actor': `p${at}` })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409, 409, 409, 409,
    ])
    expect(scene.mails).toHaveLength(1)
  })

  test('the echo before the answer: it completes, and the answer finds it done', async () => {
    const id = await urgent()
    scene.hooks.answered = async (_, correlationId) => {
      const order = await scene.ofPurchasingGet(orderOf(id))
      await scene.echo(order, correlationId)
      await scene.until(id, ({ status }) => status === 'completed')
    }
    expect((await carryOut(id)).body['status']).toBe('completed')
    expect(await scene.completedBy(id)).toBe('echo')
    expect(scene.mails).toHaveLength(1)
  })

  test('the answer before the echo: the echo finds it done', async () => {
    const id = await urgent()
    expect((await carryOut(id, { 'x-correlation-id': 'click-2' })).body['status']).toBe('completed')
    const order = await scene.ofPurchasingGet(orderOf(id))
    await scene.echo(order, 'click-2')
    await eventually(async () => {
      const { body } = await scene.get(`/orders/${order.id}/verdicts`)
      return (body['lines'] as { lineVersion: number }[])[0]?.lineVersion === 2 ? true : undefined
    })
    expect(await scene.completedBy(id)).toBe('answer')
    expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('completed')
    expect(scene.mails).toHaveLength(1)
  })

  test("somebody else's change of the order is no echo", async () => {
    const id = await urgent()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    scene.hooks.answered = () => held
    const click = carryOut(id, { 'x-correlation-id': 'click-3' })
    await scene.until(id, ({ status }) => status === 'in-progress')
    const order = await eventually(async () => {
      const found = await scene.ofPurchasingGet(orderOf(id))
      return found.version === 2 ? found : undefined
    })
    await scene.echo(order, 'of-somebody-else')
    await eventually(async () => {
      const { body } = await scene.get(`/orders/${order.id}/verdicts`)
      return (body['lines'] as { lineVersion: number }[])[0]?.lineVersion === 2 ? true : undefined
    })
    expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('in-progress')
    release()
    expect((await click).body['status']).toBe('completed')
    expect(await scene.completedBy(id)).toBe('answer')
  })

  test('while a planner acts, events that would alter the suggestion yield: the action wins', async () => {
    const id = await urgent()
    scene.hooks.answered = async () => {
      await scene.stock(100)
      await eventually(async () => {
        const { body } = await scene.get(`/orders/${orderOf(id)}/verdicts`)
        return (body['lines'] as { kind: string }[])[0]?.kind === 'keep' ? true : undefined
      })
      expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('in-progress')
    }
    expect((await carryOut(id)).body['status']).toBe('completed')
    expect(scene.mails).toHaveLength(1)
  })

  test('withdrawn meanwhile: refused with the reason, nothing is sent', async () => {
    const id = await urgent()
    await scene.stock(100)
    await scene.until(id, ({ status }) => status === 'withdrawn')
    const answer = await carryOut(id)
    expect([answer.status, answer.body['code'], answer.body['detail']]).toEqual([
      410,
      'suggestion.gone',
      'The stock of 105 pieces lasts 10 days at 10 a day: neither too much nor too little.',
    ])
    expect(scene.mails).toEqual([])
  })

  test('changed at its owner before anybody was told: refused, open again, then withdrawn by the event', async () => {
    const id = await urgent()
    const shipped = await scene.ofPurchasing(`/orders/${orderOf(id)}/ship`)
    const answer = await carryOut(id)
    expect([answer.status, answer.body['code'], answer.body['refused']]).toEqual([
      409,
      'suggestion.decided',
      'order.finished',
    ])
    expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('open')
    await scene.echo(shipped)
    await scene.until(id, ({ status }) => status === 'withdrawn')
    expect(scene.mails).toEqual([])
  })

  test('a mailbox that refuses for good needs attention, with the reason; somebody tries again or settles it', async () => {
    const id = await urgent()
    scene.hooks.mail = () => Promise.reject(new MillraceError('mail.refused', 'No such mailbox'))
    expect((await carryOut(id)).body).toMatchObject({
      status: 'needs-attention',
      statusReason: 'No such mailbox',
    })
    const stillRefused = await scene.call(`/suggestions/${id}/attention`, { action: 'retry' })
    expect(stillRefused.body['status']).toBe('needs-attention')
    scene.hooks.mail = () => Promise.resolve()
    expect((await scene.call(`/suggestions/${id}/attention`, { action: 'retry' })).body['status']).toBe(
      'completed',
    )
    expect(scene.mails).toHaveLength(1)
    expect((await scene.call(`/suggestions/${id}/attention`, { action: 'settle' })).status).toBe(404)
  })

  test('a stop between the two steps: the next instance sends the mail, with the same key', async () => {
    const id = await urgent()
    const keys: string[] = []
    let reached = (): void => undefined
    const atMail = new Promise<void>((resolve) => (reached = resolve))
    scene.hooks.mail = () => {
      reached()
      return new Promise(() => undefined)
    }
    const click = carryOut(id)
    await atMail
    await scene.stopInstances()
    await click
    scene.hooks.mail = () => Promise.resolve()
    await scene.startInstance()
    await eventually(async () => (scene.mails.length > 0 ? true : undefined))
    keys.push(...scene.mails.map(({ key }) => key))
    expect(keys).toEqual([`carry-out:${id}#1:mail-supplier`])
    expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('completed')
  }, 30_000)
})

describe('many, and later', () => {
  test('several at once have a result each; one that is gone does not stop the others', async () => {
    const lines = [10, 20, 30].map((quantity) => ({ product: 'P1', quantity, dueOn: inDays(30) }))
    const order = await scene.place(lines)
    const other = await scene.place()
    await scene.product()
    await scene.stock(5)
    await scene.echo(order)
    await scene.echo(other)
    const ids = [2, 3].map((line) => `${order.id}.${line}.v1.bring-forward`)
    ids.push(`${other.id}.1.v1.bring-forward`)
    for (const id of ids) await scene.until(id, ({ status }) => status === 'open')
    const { body } = await scene.call('/suggestions/carry-out', { ids: [...ids, 'none'] })
    expect(body['results']).toMatchObject([
      { status: 'completed' },
      { status: 'completed' },
      { status: 'completed' },
      { problem: { code: 'suggestion.unknown' } },
    ])
    expect(scene.mails).toHaveLength(3)
  })

  test('dismissed stays dismissed, a snooze ends by itself, and both can be taken back', async () => {
    const id = await urgent()
    const status = async () => (await scene.get(`/suggestions/${id}`)).body['status']
    await scene.call(`/suggestions/${id}/dismiss`)
    expect(await status()).toBe('dismissed')
    expect((await carryOut(id)).status).toBe(409)
    await scene.call(`/suggestions/${id}/reopen`)
    expect(await status()).toBe('open')
    await scene.call(`/suggestions/${id}/snooze`, { until: new Date(Date.now() + 60_000).toISOString() })
    expect(await status()).toBe('snoozed')
    await scene.call(`/suggestions/${id}/snooze`, { until: new Date(Date.now() - 1_000).toISOString() })
    expect(await status()).toBe('open')
    expect((await scene.call(`/suggestions/${id}/snooze`, { until: 'tomorrow' })).status).toBe(400)
  })

  test('at the quiet hour what has ended is swept; what was decided is not suggested again, a changed order is', async () => {
    const id = await urgent()
    await scene.call(`/suggestions/${id}/dismiss`)
    await scene.stopInstances()
    const service = await scene.startInstance({ keepDays: 0 })
    await service.nightly()
    expect((await scene.get(`/suggestions/${id}`)).status).toBe(404)
    await scene.stock(100)
    await scene.stock(-100)
    await eventually(async () => {
      const { body } = await scene.get(`/orders/${orderOf(id)}/verdicts`)
      return (body['lines'] as { kind: string }[])[0]?.kind === 'bring-forward' ? true : undefined
    })
    expect((await scene.get('/suggestions?status=open')).body['suggestions']).toEqual([])
    const order = await scene.ofPurchasingGet(orderOf(id))
    await scene.echo({ ...order, version: 2, lines: order.lines.map((line) => ({ ...line, version: 2 })) })
    await scene.until(`${order.id}.1.v2.bring-forward`, ({ status }) => status === 'open')
  }, 30_000)
})

describe('news', () => {
  interface Message {
    readonly event: string | undefined
    readonly id: string | undefined
    readonly data: { readonly id?: string; readonly status?: string }
  }

  /** Reads a stream until a message fits. */
  async function messages(fits: (message: Message) => boolean, lastEventId?: string): Promise<Message[]> {
    const service = scene.first()
    const answer = await service.app.request('/suggestions/stream', {
      headers: {
        authorization: 'Bearer a-service',
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    })
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    if (!reader) throw new Error('The answer has no body')
    let text = ''
    const found = () =>
      text
        .split('\n\n')
        .slice(0, -1)
        .filter((part) => part.includes('data:'))
        .map((part) => ({
          event: /^event: (.*)$/m.exec(part)?.[1],
          id: /^id: (.*)$/m.exec(part)?.[1],
          data: JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? '{}') as Message['data'],
        }))
    while (!found().some(fits)) {
      const { value, done } = await reader.read()
      if (done) break
      text += value
    }
    await reader.cancel()
    return found()
  }

  test('pages are told what changes, from where they stand, without a gap', async () => {
    const { body } = await scene.get('/suggestions')
    const dismissed = ({ data }: Message) => data.status === 'dismissed'
    const told = messages(dismissed, String(body['feed']))
    const id = await urgent()
    await scene.call(`/suggestions/${id}/dismiss`)
    const [ready, ...rest] = await told
    expect(ready).toMatchObject({ event: 'ready', id: '0' })
    expect(rest.at(-1)).toMatchObject({ event: 'suggestion', data: { id, status: 'dismissed' } })
    // Connected again from the beginning: what was missed is told.
    const again = await messages(dismissed, '0')
    expect(again.at(-1)).toMatchObject({ event: 'suggestion', data: { id, status: 'dismissed' } })
  }, 30_000)

  test('who was away for too long, or knows a number that does not exist, is told to read anew', async () => {
    const told = await messages(({ event }) => event === 'reset', '999999')
    expect(told[1]).toMatchObject({ event: 'reset', id: '0' })
  })
})
