import { MillraceError } from '@millrace/event'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import type { IntakeOptions } from './intake.ts'
import { build, everything, lines, made, ndjson, post, things } from './testing/taking-in.ts'

const seed = testSeed()

describe('when taking in breaks off', () => {
  it('takes what came before too many events, and says where it stopped', async () => {
    const { app, log } = build({ limits: { maxEvents: 3 } })
    const answer = await post(app, ndjson, lines(made('1'), made('2'), made('3'), made('4')))
    expect(answer.status).toBe(207)
    expect(await answer.json()).toMatchObject({
      appended: 3,
      stopped: { code: 'append.limit', retryable: false },
    })
    expect(await everything(log)).toHaveLength(3)
  })

  it('takes the lines that arrived whole before the connection was cut', async () => {
    const { app, log } = build()
    let pulls = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1
        if (pulls === 1)
          controller.enqueue(new TextEncoder().encode(`${JSON.stringify(made('1'))}\n{"specver`))
        else controller.error(new Error('cut'))
      },
    })
    const request = new Request('http://x/topics/things/events', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { authorization: 'Bearer t-1', 'content-type': ndjson },
    })
    expect((await app.fetch(request)).status).toBe(207)
    expect((await everything(log)).map(({ id }) => id)).toEqual(['1'])
  })

  it('says what is known when the log fails: surely not written, or unknown', async () => {
    const { log } = build()
    let calls = 0
    const failing = (code: 'log.unavailable' | 'append.unknown'): IntakeOptions['log'] => ({
      read: (...args) => log.read(...args),
      readKey: (...args) => log.readKey(...args),
      tips: (...args) => log.tips(...args),
      append: (...args) =>
        ++calls % 2 === 0 ? Promise.reject(new MillraceError(code)) : log.append(...args),
    })
    const many = lines(...Array.from({ length: 700 }, (_unused, n) => made(`${n}`)))
    const partly = await post(build({ log: failing('append.unknown') }).app, ndjson, many)
    expect(partly.status).toBe(207)
    const report = (await partly.json()) as { results: { status: string; code: string }[] }
    expect(report).toMatchObject({
      appended: 500,
      unknown: 200,
      stopped: { code: 'append.unknown', retryable: true },
    })
    calls = 1
    const nothing = await post(
      build({ log: failing('log.unavailable') }).app,
      ndjson,
      lines(made('a'), made('b')),
    )
    expect(nothing.status).toBe(503)
    expect(nothing.headers.get('retry-after')).toBe('1')
    expect(await nothing.json()).toMatchObject({
      code: 'log.unavailable',
      refused: 2,
      results: [{ code: 'log.unavailable' }, {}],
    })
  })

  it('keeps the order of each key over many batches', async () => {
    const { app, log } = build()
    const events = Array.from({ length: 1_700 }, (_unused, n) => made(`${n}`, `k${n % 7}`, n))
    const answer = await post(app, ndjson, lines(...events))
    expect(await answer.json()).toMatchObject({ appended: 1_700, refused: 0 })
    for (let key = 0; key < 7; key++) {
      const sizes = (await log.readKey(things, `k${key}`)).events.map(
        ({ event }) => (event.data as { size: number }).size,
      )
      expect(sizes).toEqual(
        events.filter(({ subject }) => subject === `k${key}`).map(({ data }) => data.size),
      )
    }
  })

  it(`never answers 500, whatever it is sent (seed ${seed})`, async () => {
    const { app } = build()
    const value = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.constant(JSON.stringify(made('x'))),
      fc.constant('\n'),
    )
    const type = fc.constantFrom(
      ndjson,
      'application/json',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    )
    const property = fc.asyncProperty(type, fc.array(value, { maxLength: 4 }), async (contentType, parts) => {
      const { status } = await post(app, contentType, parts.join('\n'))
      expect(status).toBeOneOf([200, 207, 400])
    })
    await fc.assert(property, { seed, numRuns: 500 })
  })
})
