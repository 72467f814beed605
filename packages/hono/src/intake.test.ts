import { describe, expect, it } from 'vitest'
import { build, everything, lines, made, ndjson, post } from './testing/taking-in.ts'

describe('taking events in', () => {
  it.each([
    ['one', 'application/cloudevents+json', JSON.stringify(made('1'))],
    ['one in application/json', 'application/json', JSON.stringify(made('1'))],
    ['a batch', 'application/cloudevents-batch+json', JSON.stringify([made('1')])],
    ['an array in application/json', 'application/json; charset=utf-8', JSON.stringify([made('1')])],
    ['a line', ndjson, JSON.stringify(made('1'))],
  ])('takes %s and answers its position', async (_what, type, body) => {
    const { app, log } = build()
    const answer = await post(app, type, body)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      appended: 1,
      duplicate: 0,
      refused: 0,
      unknown: 0,
      results: [
        { line: 1, status: 'appended', id: '1', position: expect.stringMatching(/^things\/\d\/\d+-1$/) },
      ],
    })
    expect(await everything(log)).toEqual([
      expect.objectContaining({
        id: '1',
        type: 'Made',
        subject: 'k',
        data: { size: 1 },
        correlationid: 'c-1',
      }),
    ])
  })

  it('takes one in binary mode', async () => {
    const { app, log } = build()
    const attributes = { specversion: '1.0', id: 'b%C3%BC', source: '/test', type: 'Made', subject: 'k' }
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]),
    )
    headers['ce-time'] = '2026-01-02T03:04:05Z'
    expect((await post(app, 'application/json', '{"size":7}', headers)).status).toBe(200)
    expect(await everything(log)).toEqual([
      expect.objectContaining({ id: 'bü', time: '2026-01-02T03:04:05Z', data: { size: 7 } }),
    ])
  })

  it('answers a repeated event with its first position', async () => {
    const { app } = build()
    const body = lines(made('1'), made('2'))
    const first = (await (await post(app, ndjson, body)).json()) as { results: { position: string }[] }
    const again = await post(app, ndjson, lines(made('2'), made('1'), made('3')))
    expect(again.status).toBe(200)
    const report = (await again.json()) as {
      duplicate: number
      results: { status: string; position: string }[]
    }
    expect(report.results.map(({ status }) => status)).toEqual(['duplicate', 'duplicate', 'appended'])
    expect(report.results.slice(0, 2).map(({ position }) => position)).toEqual(
      first.results.map(({ position }) => position).toReversed(),
    )
  })

  it('says which line was refused and why, and takes the others in order', async () => {
    const { app, log } = build()
    const answer = await post(
      app,
      ndjson,
      lines(
        made('1'),
        '',
        '{"broken',
        made('2', 'k', 'large'),
        { ...made('3'), type: 'Burnt' },
        made('4'),
        '{"__proto__":{}}',
        { ...made('5'), subject: undefined, colour: 'red' },
      ),
    )
    expect(answer.status).toBe(207)
    const report = (await answer.json()) as {
      results: { line: number; status: string; code?: string; errors?: unknown }[]
    }
    expect(report).toMatchObject({ appended: 2, refused: 5 })
    expect(report.results.map(({ line, status, code }) => [line, status, code])).toEqual([
      [1, 'appended', undefined],
      [3, 'refused', 'json.invalid'],
      [4, 'refused', 'event.invalid'],
      [5, 'refused', 'type.unknown'],
      [6, 'appended', undefined],
      [7, 'refused', 'json.invalid'],
      [8, 'refused', 'event.invalid'],
    ])
    expect(report.results[2]?.errors).toEqual([{ field: 'size', message: expect.any(String) }])
    expect(report.results[6]?.errors).toEqual([
      { field: 'subject', message: 'is missing; it is the key of the event' },
      { field: 'colour', message: 'is not known here' },
    ])
    expect((await everything(log)).map(({ id }) => id)).toEqual(['1', '4'])
  })

  it('answers the problem itself when a single event is refused', async () => {
    const answer = await post(
      build().app,
      'application/cloudevents+json',
      JSON.stringify({ ...made('1'), specversion: '0.3', data_base64: 'AA==', time: 5 }),
    )
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'event.invalid',
      errors: [
        { field: 'specversion', message: 'must be "1.0"' },
        { field: 'data_base64', message: 'is not taken; send JSON in data' },
        { field: 'time', message: 'must be a text' },
      ],
    })
  })

  it('answers 400 with the lines when none of several was taken', async () => {
    const answer = await post(build().app, ndjson, lines('x', 'y'))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'event.invalid',
      refused: 2,
      results: [{ line: 1 }, { line: 2 }],
    })
  })

  it('takes an event of an older version that its upcasters can read, and no other', async () => {
    const { app, log } = build()
    const renamed = {
      ...made('1'),
      type: 'Renamed',
      data: { title: 'Old' },
      dataschema: 'https://example.org/renamed/v1',
    }
    expect((await post(app, 'application/json', JSON.stringify(renamed))).status).toBe(200)
    expect(await everything(log)).toEqual([expect.objectContaining({ data: { title: 'Old' } })])
    for (const wrong of [
      { ...renamed, id: '2', data: {} },
      { ...renamed, id: '3', dataversion: 3 },
      { ...renamed, id: '4', dataschema: 'https://example.org/x' },
    ])
      expect((await post(app, 'application/cloudevents+json', JSON.stringify(wrong))).status).toBe(400)
  })

  it('keeps the ids that the producer gives', async () => {
    const { app, log } = build()
    const given = {
      ...made('1'),
      correlationid: 'order-7',
      causationid: 'e-1',
      actor: 'anna',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    }
    await post(
      app,
      'application/json',
      JSON.stringify({
        ...given,
        position: 'things/1/1-1',
        cursor: 'x',
        datacontenttype: 'application/json',
      }),
    )
    const [event] = await everything(log)
    expect(event).toMatchObject({
      correlationid: 'order-7',
      causationid: 'e-1',
      actor: 'anna',
      traceparent: given.traceparent,
    })
    expect(event).not.toHaveProperty('cursor')
  })

  it.each([
    ['an unknown content type', 'text/plain', '{}', 415],
    ['a batch that is no array', 'application/cloudevents-batch+json', '{}', 400],
    ['a text that is not JSON', 'application/json', '[', 400],
    ['a compressed body', ndjson, '{}', 415, { 'content-encoding': 'gzip' }],
    ['a body that says it is too large', ndjson, '{}', 413, { 'content-length': '99999999999' }],
  ])('refuses %s', async (_what, type, body, status, headers: Record<string, string> = {}) => {
    expect((await post(build().app, type, body, headers)).status).toBe(status)
  })

  it('refuses who brings no token, and topics that there are not', async () => {
    const { app } = build()
    expect((await post(app, ndjson, '{}', { authorization: 'Bearer wrong' })).status).toBe(401)
    const elsewhere = await app.request('/topics/nothing/events', {
      headers: { authorization: 'Bearer t-1' },
    })
    expect(elsewhere.status).toBe(404)
    expect(await elsewhere.json()).toMatchObject({ code: 'topic.unknown' })
  })
})
