import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type HttpServer, serveHttp } from '@millrace/hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPlanner } from './planner.ts'

const page = mkdtempSync(path.join(tmpdir(), 'millrace-planner-page-'))
/** What restocking was asked. */
const asked: string[] = []
let http: HttpServer

beforeAll(async () => {
  writeFileSync(path.join(page, 'index.html'), '<!doctype html><title>Restocking</title>')
  const nothing = () => undefined
  const planner = await createPlanner({
    page,
    restocking: {
      baseUrl: 'http://restocking.internal',
      fetch: (sent) => {
        const { pathname, search } = new URL(sent.url)
        asked.push(`${sent.method} ${pathname}${search}`)
        return Response.json({ token: sent.headers.get('authorization') === 'Bearer t' })
      },
      token: 't',
    },
    http: {
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      context: { run: (_ids, act) => act(), current: nothing },
    },
  })
  http = await serveHttp(planner, { host: '127.0.0.1', port: 0, portVariable: 'PLANNER_PORT' })
})
afterAll(async () => {
  await http.stop()
  rmSync(page, { recursive: true })
})

/** The path goes out as it stands here. */
function call(method: string, target: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(http.url)
  asked.length = 0
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path: target, headers, agent: false }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('the page and its calls are answered, with the token of the service', async () => {
  expect(await call('GET', '/')).toBe(200)
  expect(await call('GET', '/api/suggestions?limit=5')).toBe(200)
  expect(asked).toEqual(['GET /suggestions?limit=5'])
  expect(await call('POST', '/api/suggestions/a%2Fb/dismiss', { origin: new URL(http.url).origin })).toBe(200)
  expect(asked).toEqual(['POST /suggestions/a%2Fb/dismiss'])
})

test.each([
  ['/api/initialise'],
  ['/api/suggestions/../initialise'],
  ['/api/suggestions/%2e%2e/initialise'],
  ['/api/suggestions/..\\initialise'],
  ['/api/suggestions/.%2e/topics/supply/events'],
  ['/api/orders/x/../../metrics'],
  ['/api/suggestionsx'],
])('%s does not get to restocking', async (target) => {
  expect([400, 404]).toContain(await call('POST', target))
  expect(asked).toEqual([])
})

test('a foreign name that points here gets nothing, and another page may change nothing', async () => {
  expect(await call('GET', '/', { host: 'evil.test' })).toBe(403)
  const rebound = { host: 'evil.test', origin: 'http://evil.test', 'sec-fetch-site': 'same-origin' }
  expect(await call('POST', '/api/suggestions/x/carry-out', rebound)).toBe(403)
  expect(await call('POST', '/api/suggestions/x/carry-out', { origin: 'https://evil.test' })).toBe(403)
  expect(await call('POST', '/api/suggestions/x/carry-out', { 'sec-fetch-site': 'cross-site' })).toBe(403)
  expect(asked).toEqual([])
})
