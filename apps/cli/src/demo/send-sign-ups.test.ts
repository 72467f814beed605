import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { sendSignUps } from './send-sign-ups.ts'
import { signUpCases } from './sign-up-cases.ts'

let server: Server | undefined
afterEach(() => server?.close())

it('repeats with the same key what got no clear answer, and keeps no more under way than it may', async () => {
  const { cases } = signUpCases('send', 40)
  const tries = new Map<string, number>()
  let [underWay, most] = [0, 0]
  server = createServer((request, response) => {
    underWay += 1
    most = Math.max(most, underWay)
    response.once('close', () => (underWay -= 1))
    const key = String(request.headers['idempotency-key'])
    const turn = (tries.get(key) ?? 0) + 1
    tries.set(key, turn)
    request.resume().once('end', () => {
      if (turn === 1) response.destroy()
      else if (turn === 2) response.writeHead(503, { 'retry-after': '0' }).end('{"code":"service.busy"}')
      else if (turn === 3) response.writeHead(429, { 'retry-after': '0' }).end()
      else response.writeHead(201).end(JSON.stringify({ id: key, position: 'p' }))
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server?.once('listening', resolve))
  let done = 0
  const outcomes = await sendSignUps(cases, {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    concurrency: 4,
    token: undefined,
    signal: new AbortController().signal,
    onOutcome: (count) => (done = count),
  })
  expect(done).toBe(40)
  expect(most).toBeLessThanOrEqual(4)
  const firsts = outcomes.filter(
    ({ of }) => cases.find((one) => one.idempotencyKey === of.idempotencyKey) === of,
  )
  for (const { of, status, id, tries: count } of firsts)
    expect([status, id, count]).toEqual([201, of.idempotencyKey, 4])
})
