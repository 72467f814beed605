import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { millrace } from './testing/millrace.ts'

let server: Server
let answer: RequestListener
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function initialise(given: RequestListener, signal = new AbortController().signal) {
  answer = given
  const { port } = server.address() as AddressInfo
  const env = { RESTOCKING_URL: `http://127.0.0.1:${port}`, SERVICE_TOKEN: 't' }
  return millrace('restocking initialise', env, { signal })
}

test('what was told whole is counted', async () => {
  const ended = await initialise((_, response) => response.end('{"rows":2}\n{"rows":3,"of":3}\n'))
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('3 rows on the log') })
})

test.each<[string, RequestListener]>([
  ['between two lines', (_, response) => response.write('{"rows":1}\n', () => response.destroy())],
  ['in the midst of a line', (_, response) => response.end('{"rows":1}\n{"ro')],
])('an answer that is cut %s is not all, and may be begun again', async (_, given) => {
  expect(await initialise(given)).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Not all of it was told: it broke off. It can be begun again.\n',
  })
})

test('a stop is no failure of the service', async () => {
  const abort = new AbortController()
  const ended = await initialise((_, response) => {
    response.write('{"rows":1}\n')
    abort.abort()
  }, abort.signal)
  expect(ended).toEqual({ code: 130, stdout: '', stderr: '' })
})

test('a refused token says which one it is, and another refusal says why', async () => {
  const refused = await initialise((_, response) => response.writeHead(401).end('{"detail":"No"}'))
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('set SERVICE_TOKEN') })
  const problem = '{"title":"Not now","detail":"Another one runs","status":409}'
  const busy = await initialise((_, response) => response.writeHead(409).end(problem))
  expect(busy).toMatchObject({ code: 2, stderr: 'millrace: Restocking answers 409: Another one runs.\n' })
})
