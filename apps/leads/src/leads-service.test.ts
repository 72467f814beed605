import { newEvent } from '@millrace/event'
import { appendOne, formatPosition } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { offers } from './offers-topic.ts'
import { startLeads } from './testing/stand.ts'

let stand: Awaited<ReturnType<typeof startLeads>>
beforeEach(async () => {
  stand = await startLeads()
})
afterEach(() => stand.service.stop())

const car = 'chevrolet chevelle malibu'

async function offered(buyer = 'ada', on = car) {
  const { status, body, headers } = await stand.call('POST', `/buyers/${buyer}/offers`, {
    car: on,
    price: 900,
  })
  expect(status).toBe(201)
  return { offer: String(body['offer']), position: String(body['position']), etag: headers.get('etag') }
}

/** What becomes of an offer; answers where that is on the log. */
async function done(offer: string, action: string, buyer = 'ada') {
  const { status, body } = await stand.call('POST', `/buyers/${buyer}/offers/${offer}/${action}`)
  expect([status, body['code']]).toEqual([200, undefined])
  return String(body['position'])
}

/** The tasks, once there are so many of them in that state. */
async function tasks(state: string, count: number) {
  for (;;) {
    const { body } = await stand.call('GET', `/tasks?state=${state}`)
    const found = body['tasks'] ?? []
    if (found.length === count) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('offers in', () => {
  it('are numbered, by the version that the caller has seen', async () => {
    const { offer, etag } = await offered()
    expect(etag).toBe('"1"')
    const path = `/buyers/ada/offers/${offer}/accept`
    const accepted = await stand.call('POST', path, undefined, { 'If-Match': '"1"' })
    expect([accepted.status, accepted.body['version'], accepted.headers.get('etag')]).toEqual([200, 2, '"2"'])
    const late = await stand.call('POST', `/buyers/ada/offers/${offer}/reject`, { expectedVersion: 1 })
    expect([late.status, late.body['code'], late.body['version']]).toEqual([412, 'append.version', 2])
    const again = await stand.call('POST', path)
    expect([again.status, again.body['code'], again.body['standing']]).toEqual([
      409,
      'offer.standing',
      'accepted',
    ])
    expect((await stand.call('POST', '/buyers/ada/offers/nope/accept')).body['code']).toBe('offer.unknown')
    expect((await stand.call('POST', '/buyers/bob/offers', { car, price: 0 })).status).toBe(400)
    expect((await stand.call('POST', '/buyers/-/offers', { car, price: 1 })).status).toBe(400)
  })

  it('are the same when they are asked for again with the same Idempotency-Key', async () => {
    const key = { 'Idempotency-Key': 'once' }
    const first = await stand.call('POST', '/buyers/ada/offers', { car, price: 900 }, key)
    const again = await stand.call('POST', '/buyers/ada/offers', { car, price: 900 }, key)
    expect([again.status, again.body['offer'], again.body['position']]).toEqual([
      201,
      first.body['offer'],
      first.body['position'],
    ])
    const other = await stand.call('POST', '/buyers/ada/offers', { car, price: 901 }, key)
    expect(other.body['code']).toBe('append.fingerprint')
    const path = `/buyers/ada/offers/${String(first.body['offer'])}/accept`
    const accepted = await stand.call('POST', path, undefined, key)
    const repeated = await stand.call('POST', path, undefined, key)
    expect([repeated.status, repeated.body['position']]).toEqual([200, accepted.body['position']])
    expect((await stand.call('POST', path, { expectedVersion: 1 }, key)).status).toBe(422)
  })

  it('come one after the other when many come at once', async () => {
    const { offer } = await offered()
    const answers = await Promise.all(
      ['accept', 'reject', 'withdraw'].map((action) =>
        stand.call('POST', `/buyers/ada/offers/${offer}/${action}`),
      ),
    )
    expect(answers.map(({ status }) => status)).toContain(200)
    for (const { status } of answers) expect([200, 409]).toContain(status)
  })

  it('are unknown under names that every object has', async () => {
    for (const offer of ['constructor', 'toString', 'hasOwnProperty']) {
      const answer = await stand.call('POST', `/buyers/ada/offers/${offer}/accept`)
      expect([answer.status, answer.body['code']]).toEqual([404, 'offer.unknown'])
    }
  })

  it('need a token', async () => {
    const none = { Authorization: 'Bearer nobody' }
    for (const path of ['/leads', '/leads/ada', '/tasks'])
      expect((await stand.call('GET', path, undefined, none)).status).toBe(401)
    expect((await stand.call('POST', '/buyers/ada/offers', { car, price: 1 }, none)).status).toBe(401)
  })
})

describe('leads out', () => {
  it('are there for whoever waits for what he has written, with the events that led there', async () => {
    const { offer } = await offered()
    const after = await done(offer, 'accept')
    const { body } = await stand.call('GET', `/leads/ada?after=${after}`)
    expect(body).toMatchObject({
      buyer: 'ada',
      low: false,
      high: [car],
      open: 0,
      contacted: true,
      position: after,
      offers: [{ offer, standing: 'accepted', version: 2, price: 900 }],
      events: [
        { type: 'OfferMade', offer, offerSeq: 1 },
        { type: 'OfferAccepted', offer, offerSeq: 2, position: after },
      ],
      leftOut: [],
    })
    expect((await stand.call('GET', '/leads/nobody')).body).toMatchObject({
      low: false,
      high: [],
      events: [],
    })
  })

  it('are answered as they were at a position and at a time', async () => {
    const { offer, position } = await offered()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const between = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const after = await done(offer, 'accept')
    await stand.call('GET', `/leads/ada?after=${after}`)
    for (const at of [position, between]) {
      const { body } = await stand.call('GET', `/leads/ada?at=${encodeURIComponent(at)}`)
      expect(body).toMatchObject({ low: true, high: [], position, events: [{ type: 'OfferMade' }] })
    }
    expect((await stand.call('GET', '/leads/ada?at=soon')).body['code']).toBe('position.invalid')
    expect((await stand.call('GET', '/leads/ada?after=sales/0/1-1')).body['code']).toBe('position.invalid')
  })

  it('are listed, by filter and part by part', async () => {
    for (const buyer of ['ada', 'bob', 'cid']) await offered(buyer)
    const { offer } = await offered('bob', 'ford pinto')
    await done(offer, 'accept', 'bob')
    await tasks('open', 1)
    const list = async (query: string) => {
      const { body } = await stand.call('GET', `/leads?${query}`)
      return [body['leads']?.map(({ buyer }) => String(buyer)).join(' '), body['next']]
    }
    // Those of other partitions come when they come.
    await expect.poll(() => list('low=true')).toEqual(['ada cid', null])
    expect(await list('high=true')).toEqual(['bob', null])
    expect(await list('car=ford%20pinto')).toEqual(['bob', null])
    expect(await list('limit=2')).toEqual(['ada bob', 'bob'])
    expect(await list('limit=2&cursor=bob')).toEqual(['cid', null])
  })
})

describe('what is done about leads', () => {
  it('is one mail about quotes, one about each acceptance, and a call that is cancelled or done', async () => {
    const { offer } = await offered()
    await offered('ada', 'ford pinto')
    await done(offer, 'accept')
    const [first] = await tasks('open', 1)
    expect(first).toMatchObject({ buyer: 'ada', offer, car, acceptance: 2 })
    await done(offer, 'withdraw-acceptance')
    await tasks('cancelled', 1)
    await done(offer, 'accept')
    const [second] = await tasks('open', 1)
    const id = String(second?.['id'])
    const marked = await stand.call('POST', `/tasks/${id}/done`)
    expect(marked.status).toBe(200)
    const after = encodeURIComponent(String(marked.body['position']))
    expect((await stand.call('GET', `/tasks?state=done&after=${after}`)).body['tasks']).toHaveLength(1)
    expect((await stand.call('POST', `/tasks/${id}/done`)).status).toBe(200)
    await done(offer, 'reject')
    expect((await stand.call('POST', `/tasks/${String(first?.['id'])}/done`)).body['code']).toBe(
      'task.closed',
    )
    expect((await stand.call('POST', '/tasks/none/done')).body['code']).toBe('task.unknown')
    const subjects = () => stand.mails.map(({ subject }) => subject).toSorted()
    await expect
      .poll(subjects)
      .toEqual([
        'Insurance for your next car, from Sales',
        'Your offer was accepted',
        'Your offer was accepted',
      ])
    expect(new Set(stand.mails.map(({ messageId }) => messageId)).size).toBe(3)
    // The offer has ended, and its call was made before.
    expect((await stand.call('GET', '/tasks?state=done')).body['tasks']).toHaveLength(1)
  })
})

describe('facts of other producers', () => {
  it('wait for the one before, are left out when they come twice, and need no numbers', async () => {
    const put = async (type: 'OfferMade' | 'OfferAccepted' | 'AcceptanceWithdrawn', offerSeq?: number) => {
      const data = {
        ...{ offer: 'x', car },
        ...(type === 'OfferMade' ? { price: 1 } : {}),
        ...(offerSeq === undefined ? {} : { offerSeq }),
      }
      const event = newEvent(offers, { type, key: 'eve', data })
      const result = await appendOne(stand.log, offers, { events: [event] })
      return result.status === 'appended' && result.positions[0] ? formatPosition(result.positions[0]) : ''
    }
    await put('AcceptanceWithdrawn', 3)
    const after = await put('OfferAccepted', 2)
    expect((await stand.call('GET', `/leads/eve?after=${after}`)).body['leftOut']).toHaveLength(2)
    await put('OfferMade', 1)
    const repeated = await put('OfferAccepted', 2)
    await tasks('cancelled', 1)
    const { body } = await stand.call('GET', `/leads/eve?after=${repeated}`)
    expect(body).toMatchObject({ low: true, high: [], leftOut: [] })
    await put('OfferAccepted')
    await tasks('open', 1)
    expect((await stand.call('GET', '/leads/eve')).body).toMatchObject({ low: false, high: [car] })
  })
})
