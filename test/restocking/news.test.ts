import { describe, expect, test } from 'vitest'
import { eachScene } from './each-scene.ts'
import type { Scene } from './scene.ts'

let scene: Scene
eachScene((opened) => {
  scene = opened
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
    const id = await scene.urgent()
    await scene.call(`/suggestions/${id}/dismiss`)
    const [ready, ...rest] = await told
    expect(ready).toMatchObject({ event: 'ready', id: '0' })
    expect(rest.at(-1)).toMatchObject({ event: 'suggestion', data: { id, status: 'dismissed' } })
    // Connected again from the beginning: what was missed is told.
    const again = await messages(dismissed, '0')
    expect(again.at(-1)).toMatchObject({ event: 'suggestion', data: { id, status: 'dismissed' } })
  })

  test('who was away for too long, or knows a number that does not exist, is told to read anew', async () => {
    const told = await messages(({ event }) => event === 'reset', '999999')
    expect(told[1]).toMatchObject({ event: 'reset', id: '0' })
  })
})
