import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { eachScene } from './each-scene.ts'
import { eventually, orderOf, type Scene } from './scene.ts'

let scene: Scene
eachScene((opened) => {
  scene = opened
})

describe('one click', () => {
  test('changes the order, mails the supplier once, and both carry the id of the click', async () => {
    const id = await scene.urgent()
    const headers = { 'x-correlation-id': 'click-1', 'idempotency-key': 'k1' }
    const answers = [await scene.carryOut(id, headers), await scene.carryOut(id, headers)]
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
      [200, 'completed'],
      [200, 'completed'],
    ])
    expect(scene.mails).toEqual([
      { to: 'orders@hinges.example', id, key: `carry-out:${id}#1:mail-supplier`, correlationId: 'click-1' },
    ])
    const again = await scene.carryOut(id, { 'idempotency-key': 'another' })
    expect([again.status, again.body['code']]).toEqual([409, 'suggestion.decided'])
    expect(scene.troubles).toEqual([])
  })

  test('two planners at once: one of them has it, one mail goes out', async () => {
    const id = await scene.urgent()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => scene.carryOut(id, { 'x-actor': `p${at}` })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409, 409, 409, 409,
    ])
    expect(scene.mails).toHaveLength(1)
  })

  test('the same click twice at once: both are answered alike, one mail goes out', async () => {
    const id = await scene.urgent()
    const headers = { 'idempotency-key': 'k1' }
    const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    // Both have begun before either can decide.
    const clicks = await scene.database.read(async (queries) => {
      await queries.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`suggestion ${id}`])
      const both = [scene.carryOut(id, headers), scene.carryOut(id, headers)]
      await eventually(async () => ((await queries.rows(waiting)).length === 2 ? true : undefined))
      return both
    })
    const answers = await Promise.all(clicks)
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
      [200, 'completed'],
      [200, 'completed'],
    ])
    expect(scene.mails).toHaveLength(1)
  })

  test('the echo before the answer: it completes, and the answer finds it done', async () => {
    const id = await scene.urgent()
    scene.hooks.answered = async (_, correlationId) => {
      const order = await scene.ofPurchasingGet(orderOf(id))
      await scene.echo(order, correlationId)
      await scene.until(id, ({ status }) => status === 'completed')
    }
    expect((await scene.carryOut(id)).body['status']).toBe('completed')
    expect(await scene.completedBy(id)).toBe('echo')
    expect(scene.mails).toHaveLength(1)
  })

  test('the answer before the echo: the echo finds it done', async () => {
    const id = await scene.urgent()
    expect((await scene.carryOut(id, { 'x-correlation-id': 'click-2' })).body['status']).toBe('completed')
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
    const id = await scene.urgent()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    scene.hooks.answered = () => held
    const click = scene.carryOut(id, { 'x-correlation-id': 'click-3' })
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
    const id = await scene.urgent()
    scene.hooks.answered = async () => {
      await scene.stock(100)
      await eventually(async () => {
        const { body } = await scene.get(`/orders/${orderOf(id)}/verdicts`)
        return (body['lines'] as { kind: string }[])[0]?.kind === 'keep' ? true : undefined
      })
      expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('in-progress')
    }
    expect((await scene.carryOut(id)).body['status']).toBe('completed')
    expect(scene.mails).toHaveLength(1)
  })

  test('withdrawn meanwhile: refused with the reason, nothing is sent', async () => {
    const id = await scene.urgent()
    await scene.stock(100)
    await scene.until(id, ({ status }) => status === 'withdrawn')
    const answer = await scene.carryOut(id)
    expect([answer.status, answer.body['code'], answer.body['detail']]).toEqual([
      410,
      'suggestion.gone',
      'The stock of 105 pieces lasts 10 days at 10 a day: neither too much nor too little.',
    ])
    expect(scene.mails).toEqual([])
  })

  test('changed at its owner before anybody was told: refused, open again, then withdrawn by the event', async () => {
    const id = await scene.urgent()
    const shipped = await scene.ofPurchasing(`/orders/${orderOf(id)}/ship`)
    const answer = await scene.carryOut(id)
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
    const id = await scene.urgent()
    scene.hooks.mail = () => Promise.reject(new MillraceError('mail.refused', 'No such mailbox'))
    expect((await scene.carryOut(id)).body).toMatchObject({
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
    await scene.stopInstances()
    // Nobody waits for this click.
    await scene.startInstance({ clickWaitMs: 1 })
    const id = await scene.urgent()
    const keys: string[] = []
    let reached = (): void => undefined
    const atMail = new Promise<void>((resolve) => (reached = resolve))
    scene.hooks.mail = () => {
      reached()
      return new Promise(() => undefined)
    }
    const click = scene.carryOut(id)
    await atMail
    await scene.stopInstances()
    await click
    scene.hooks.mail = () => Promise.resolve()
    await scene.startInstance()
    await eventually(async () => (scene.mails.length > 0 ? true : undefined))
    keys.push(...scene.mails.map(({ key }) => key))
    expect(keys).toEqual([`carry-out:${id}#1:mail-supplier`])
    expect((await scene.get(`/suggestions/${id}`)).body['status']).toBe('completed')
  })
})
