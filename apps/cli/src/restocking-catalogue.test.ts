import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { millrace } from './testing/millrace.ts'

const home = mkdtempSync(path.join(tmpdir(), 'millrace-catalogue-'))
const file = path.join(home, 'products.ndjson')
let server: Server
let answer: RequestListener
beforeAll(async () => {
  writeFileSync(file, '{"id":"P1","name":"Hinge"}\n')
  server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(home, { recursive: true })
})

test.each<[string, RequestListener]>([
  ['a page of a proxy', (_, response) => response.writeHead(502).end('<html>Bad Gateway</html>')],
  ['a page with a good status', (_, response) => response.end('<html>Please log in</html>')],
  [
    'an answer that is cut',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"appended":1', () => response.destroy())
    },
  ],
])('%s is no report: it broke off, and the same command goes on', async (_, given) => {
  answer = given
  const { port } = server.address() as AddressInfo
  const env = { RESTOCKING_URL: `http://127.0.0.1:${port}`, MILLRACE_HOME: home }
  const ended = await millrace(`restocking catalogue ${file}`, env)
  expect(ended).toMatchObject({ code: 3, stdout: '' })
  expect(ended.stderr).toContain('It broke off after line 0; the same command goes on.')
  expect(ended.stderr).toMatch(/Restocking answers (?:200|502)/)
})
