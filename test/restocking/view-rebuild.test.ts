import { newEvent } from '@millrace/event'
import { appendOne, type Position } from '@millrace/log'
import { type RebuildResult, rebuildView } from '@millrace/view'
import { openVerdictView, suggestions, verdictView } from '@millrace-app/restocking'
import { describe, expect, test } from 'vitest'
import { eachScene } from './each-scene.ts'
import { orderOf, type Scene, serviceToken } from './scene.ts'

let scene: Scene
eachScene((opened) => {
  scene = opened
})

/** Makes the view anew, as another process would. */
async function rebuild(from?: Position): Promise<RebuildResult> {
  const { url, schemas, log } = scene
  const store = await openVerdictView({ url, schemas, onError: () => undefined })
  try {
    return await rebuildView({ view: verdictView, store, log, ...(from ? { from } : {}) })
  } finally {
    await store.close()
  }
}

const sql = (text: string, values: readonly unknown[] = []) =>
  scene.database.read((queries) => queries.rows<Record<string, unknown>>(text, [...values]))

/** All that planners can see, and all that was said about the lines. */
async function seen(...orders: readonly string[]) {
  const verdicts = await Promise.all(
    orders.map(async (order) => (await scene.get(`/orders/${order}/verdicts`)).body),
  )
  const { suggestions: list } = (await scene.get('/suggestions')).body
  return { list, verdicts }
}

/** What an open page hears after a number, until there is a certain text. */
async function news(after: number, until: string): Promise<string> {
  const { body } = await scene.first().app.request('/suggestions/stream', {
    headers: { authorization: `Bearer ${serviceToken}`, 'last-event-id': String(after) },
  })
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (reader && !text.includes(until)) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
  }
  await reader?.cancel()
  return text
}

/** What is said about a line of an order that nobody has. */
async function say(
  version: number,
  kind: 'cancel' | 'keep' | 'bring-forward',
  correlationId = 'c',
): Promise<void> {
  const data = {
    ...{ order: 'X', line: 1, product: 'P1', productName: 'Hinge', supplier: 'S1', quantity: 1 },
    ...{
      dueOn: '2027-01-01',
      lineVersion: version,
      kind,
      numbers: { stock: version },
      reason: `said ${kind}`,
    },
  }
  const event = newEvent(suggestions, { type: 'LineReviewed', key: 'X/1', data, correlationId })
  await appendOne(scene.log, suggestions, { events: [event] })
}

describe('the view of suggestions, made anew', () => {
  test('is what it was, with everything that was decided and withdrawn; whole, and from a position', async () => {
    const [open, carried, dismissed, withdrawn] = [
      await scene.urgent(),
      await scene.urgent(),
      await scene.urgent(),
      await scene.urgent(),
    ]
    expect((await scene.carryOut(carried)).status).toBe(200)
    expect((await scene.call(`/suggestions/${dismissed}/dismiss`)).status).toBe(200)
    const order = await scene.ofPurchasing(`/orders/${orderOf(withdrawn)}/cancel`)
    await scene.echo(order)
    await scene.until(withdrawn, ({ status }) => status === 'withdrawn')
    const echoed = await scene.ofPurchasingGet(orderOf(carried))
    await scene.echo(echoed)
    const line = `${orderOf(carried)}/1`
    const version = async () =>
      (await sql('SELECT line_version FROM restocking_view.verdict WHERE line_key = $1', [line]))[0]
    await expect.poll(version).toEqual({ line_version: 2 })

    await say(1, 'cancel')
    await say(2, 'keep')
    await scene.until('X.1.v1.cancel', ({ status }) => status === 'withdrawn')
    await scene.settled()
    const orders = [...[open, carried, dismissed, withdrawn].map(orderOf), 'X']
    const right = await seen(...orders)
    expect(JSON.stringify(right)).toContain('withdrawn')
    const spoil = (of: string) =>
      sql(`UPDATE restocking_view.verdict SET product_name = 'wrong', reason = 'wrong' WHERE ${of}`)
    await spoil('true')
    expect(await seen(...orders)).not.toEqual(right)
    expect(await rebuild()).toMatchObject({ skipped: [] })
    expect(await seen(...orders)).toEqual(right)

    const [first] = (await scene.log.readKey(suggestions, 'X/1')).events
    await spoil(`order_id = 'X'`)
    expect(await seen(...orders)).not.toEqual(right)
    expect(await rebuild(first?.position)).toMatchObject({ skipped: [] })
    expect(await seen(...orders)).toEqual(right)
    expect(scene.mails).toHaveLength(1)
  })

  test('tells open pages to read anew when it is swapped in, and nothing before', async () => {
    await scene.urgent()
    await scene.settled()
    const tip = async () => (await sql('SELECT seq::int FROM restocking.feed'))[0]?.['seq']
    const before = Number(await tip())
    await rebuild()
    expect(await tip()).toBe(before + 1)
    expect(await sql('SELECT 1 FROM restocking.change WHERE seq > $1', [before])).toEqual([])
    const text = await news(before, 'event: reset')
    expect(text).toContain(`id: ${before + 1}\nevent: reset\n`)
  })

  test('nobody gets past the swap with the changes before and after it', async () => {
    const before = Number((await sql('SELECT seq::int FROM restocking.feed'))[0]?.['seq'])
    await scene.urgent()
    await rebuild()
    await scene.urgent()
    await scene.settled()
    const { body } = await scene.get('/suggestions')
    const text = await news(before, `id: ${String(body['feed'])}`)
    expect(text).toContain('event: reset')
  })

  test('a suggestion that stood for the length of one batch was withdrawn, however it is read', async () => {
    await scene.stopInstances()
    await say(1, 'cancel')
    await say(2, 'bring-forward')
    await say(3, 'keep')
    await say(4, 'bring-forward')
    await rebuild()
    const ids = (await sql('SELECT suggestion_id FROM restocking_view.withdrawn ORDER BY 1')).map(
      (row) => row['suggestion_id'],
    )
    expect(ids).toEqual(['X.1.v1.cancel', 'X.1.v2.bring-forward'])
    await scene.startInstance()
    expect((await scene.carryOut('X.1.v1.cancel')).body['code']).toBe('suggestion.gone')
    expect((await scene.get('/suggestions/X.1.v4.bring-forward')).body['status']).toBe('open')
  })

  test('an echo that it reads first completes the decision, though another word followed at once', async () => {
    await say(1, 'cancel')
    await scene.until('X.1.v1.cancel', ({ status }) => status === 'open')
    await scene.stopInstances()
    await sql(
      `INSERT INTO restocking.decision (suggestion_id, line_key, line_version, was, status, actor, correlation_id)
       SELECT suggestion_id, line_key, 1, '{}', 'in-progress', 'ada', 'click' FROM restocking_view.verdict`,
    )
    await say(2, 'keep', 'click')
    await say(2, 'keep', 'the stock moved')
    await rebuild()
    expect(await scene.completedBy('X.1.v1.cancel')).toBe('echo')
    expect(await sql('SELECT suggestion_id FROM restocking.change ORDER BY seq DESC LIMIT 1')).toEqual([
      { suggestion_id: 'X.1.v1.cancel' },
    ])
  })
})
