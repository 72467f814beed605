import { MillraceError } from '@millrace/event'
import { serviceClient } from '@millrace/hono'
import { expect, it } from 'vitest'
import { Planners } from './restocking-planners.ts'

/** Restocking with some open suggestions; `click` says what a click on one answers, and what it is afterwards. */
function desk(open: readonly string[], click: (id: string) => { refused?: object; later?: string[] }) {
  const left = new Set(open)
  const stands = new Map<string, string[]>()
  const actors = new Set<string>()
  const answer = (body: object, status = 200) =>
    Response.json(body, {
      status,
      headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' },
    })
  const restocking = serviceClient({
    name: 'restocking',
    fetch: (request) => {
      const { pathname, search } = new URL(request.url)
      const [, , id = '', act] = pathname.split('/')
      if (id === '') {
        if (!search.includes('status=open')) throw new Error(`Everything was asked for: ${search}`)
        return answer({ suggestions: [...left].map((one) => ({ id: one })) })
      }
      if (act === undefined) {
        const later = stands.get(id) ?? []
        return answer({ status: later.length > 1 ? later.shift() : later[0] })
      }
      actors.add(request.headers.get('x-actor') ?? '')
      // Somebody else's list may still have it.
      if (!left.delete(id)) throw new Error(`${id} was clicked twice`)
      const { refused, later = ['completed'] } = click(id)
      stands.set(id, later)
      return refused ? answer({ ...refused, status: 409 }, 409) : answer({ status: later[0] })
    },
  })
  return { restocking, actors }
}

const options = { seed: 'planners', signal: new AbortController().signal }

it('each takes another of what is open now, in turn, and clicks no more than there is', async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `s${n}`)
  const { restocking, actors } = desk(ids, () => ({}))
  const planners = new Planners({ restocking }, options)
  planners.release(15)
  planners.release(10)
  const { carried, refused } = await planners.finish()
  expect([carried.toSorted(), refused]).toEqual([ids.toSorted(), {}])
  expect(actors.size).toBeGreaterThan(1)
})

it('refusals are counted by their reason, also one that comes when the answer was that it is under way', async () => {
  const decided = { code: 'suggestion.decided', title: 'No' }
  const { restocking } = desk(['gone', 'moved', 'shipped', 'taken', 'slow', 'late'], (id) => {
    if (id === 'gone') return { refused: { code: 'suggestion.gone', title: 'Gone' } }
    if (id === 'moved') return { refused: { ...decided, refused: 'append.version' } }
    if (id === 'shipped') return { refused: { ...decided, refused: 'order.finished' } }
    if (id === 'taken') return { refused: { ...decided, decided: 'completed' } }
    return { later: ['in-progress', 'in-progress', id === 'slow' ? 'completed' : 'open'] }
  })
  const planners = new Planners({ restocking }, options)
  planners.release(6)
  expect(await planners.finish()).toEqual({
    carried: ['slow'],
    refused: {
      'withdrawn a moment before': 1,
      'the order had changed': 2,
      'the order was shipped or cancelled': 1,
      'decided by somebody else': 1,
    },
  })
})

it('what is no refusal ends it', async () => {
  const { restocking } = desk(['s1'], () => ({ refused: { code: 'service.unavailable', title: 'Away' } }))
  const planners = new Planners({ restocking }, options)
  planners.release(1)
  await expect(planners.finish()).rejects.toThrow(MillraceError)
})
