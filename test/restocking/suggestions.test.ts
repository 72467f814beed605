import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { eachScene } from './each-scene.ts'
import { eventually, inDays, orderOf, type Scene } from './scene.ts'

let scene: Scene
eachScene((opened) => {
  scene = opened
})

describe('suggestions', () => {
  test('nobody is served without a token', async () => {
    const service = await scene.startInstance()
    expect((await service.app.request('/suggestions')).status).toBe(401)
  })

  test('an order of which only the id is told is looked up, reviewed and listed with reason and numbers', async () => {
    const id = await scene.urgent()
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
  })

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
    await scene.tell('PurchaseOrderCreated', 'order/OX', { id: 'OX' })
    const other = await scene.place()
    await scene.echo(other)
    await scene.until(`${other.id}.1.v1.bring-forward`, ({ status }) => status === 'open')
    expect((await scene.get('/suggestions/OX.1.v1.bring-forward')).status).toBe(404)
    away = false
    await scene.until('OX.1.v1.bring-forward', ({ status }) => status === 'open')
  })

  test('an order that comes to its end withdraws what was suggested', async () => {
    const id = await scene.urgent()
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
  })
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
    const id = await scene.urgent()
    const status = async () => (await scene.get(`/suggestions/${id}`)).body['status']
    await scene.call(`/suggestions/${id}/dismiss`)
    expect(await status()).toBe('dismissed')
    expect((await scene.carryOut(id)).status).toBe(409)
    await scene.call(`/suggestions/${id}/reopen`)
    expect(await status()).toBe('open')
    await scene.call(`/suggestions/${id}/snooze`, { until: new Date(Date.now() + 60_000).toISOString() })
    expect(await status()).toBe('snoozed')
    await scene.call(`/suggestions/${id}/snooze`, { until: new Date(Date.now() - 1_000).toISOString() })
    expect(await status()).toBe('open')
    expect((await scene.call(`/suggestions/${id}/snooze`, { until: 'tomorrow' })).status).toBe(400)
  })

  test('at the quiet hour what has ended is swept; what was decided is not suggested again, a changed order is', async () => {
    const id = await scene.urgent()
    await scene.call(`/suggestions/${id}/dismiss`)
    await scene.stopInstances()
    const service = await scene.startInstance({ keepDays: 0 })
    await service.nightly()
    expect((await scene.get(`/suggestions/${id}`)).status).toBe(404)
    for (const [difference, kind] of [
      [100, 'keep'],
      [-100, 'bring-forward'],
    ] as const) {
      await scene.stock(difference)
      await eventually(async () => {
        const { body } = await scene.get(`/orders/${orderOf(id)}/verdicts`)
        return (body['lines'] as { kind: string }[])[0]?.kind === kind ? true : undefined
      })
    }
    expect((await scene.get('/suggestions?status=open')).body['suggestions']).toEqual([])
    const order = await scene.ofPurchasingGet(orderOf(id))
    await scene.echo({ ...order, version: 2, lines: order.lines.map((line) => ({ ...line, version: 2 })) })
    await scene.until(`${order.id}.1.v2.bring-forward`, ({ status }) => status === 'open')
  })
})
