import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConsoleRig, startConsoleRig, tokens } from './console-rig.ts'

let rig: ConsoleRig
beforeAll(async () => {
  rig = await startConsoleRig()
})
afterAll(() => rig.stop())

const call = (path: string, init: RequestInit = {}) => fetch(rig.url + path, { redirect: 'manual', ...init })
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

/** Logs in as a browser does; answers the cookie. */
async function logIn(
  token: string,
): Promise<{ readonly status: number; readonly cookie: string; readonly line: string }> {
  const answer = await call('/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' },
    body: new URLSearchParams({ token }),
  })
  const line = answer.headers.get('set-cookie') ?? ''
  return { status: answer.status, cookie: line.split(';')[0] ?? '', line }
}

test('without the token nothing is served: no page, no file, no data', async () => {
  const page = await call('/', { headers: { Accept: 'text/html' } })
  expect([page.status, page.headers.get('location')]).toEqual([303, '/queues/login'])
  const files = ['/static/js/main.f10757109b.js', '/static/favicon.ico', '/static/locales/en/messages.json']
  const data = ['/api/queues', '/api/redis/stats', '/api/queues/retry.orders.bill/workers']
  for (const path of [...files, ...data]) expect([path, (await call(path)).status]).toEqual([path, 401])
  for (const cookie of ['millrace-console=', 'millrace-console=operator.9999999999999.AAAA', 'x=y'])
    expect((await call('/api/queues', { headers: { cookie } })).status).toBe(401)
  expect((await call('/api/queues', { headers: bearer('wrong') })).status).toBe(401)
  const login = await call('/login')
  expect([login.status, login.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining("default-src 'none'"),
  ])
})

test('a token opens a session whose cookie no script and no other site can use', async () => {
  const { status, line, cookie } = await logIn(tokens.operator)
  expect(status).toBe(303)
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/queues', 'Max-Age=43200'])
    expect(line).toContain(part)
  expect(line).not.toContain(tokens.operator)
  const page = await call('/', { headers: { cookie } })
  const html = await page.text()
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'; ")
  expect(html).not.toMatch(/https?:\/\//)
  const file = /static\/js\/main\.\w+\.js/.exec(html)?.[0] ?? ''
  expect((await call(`/${file}`, { headers: { cookie } })).status).toBe(200)
  expect((await logIn('wrong')).status).toBe(401)
  const out = await call('/logout', { headers: { cookie } })
  expect(out.headers.get('set-cookie')).toContain('Max-Age=0')
})

test('what may change something must come from these pages, or carry the token', async () => {
  const { cookie } = await logIn(tokens.operator)
  const put = async (headers: Record<string, string>, path = '/api/queues/retry.orders.bill/promote') =>
    (await call(path, { method: 'PUT', headers })).status
  expect(await put({ cookie })).toBe(403)
  expect(await put({ cookie, 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
  expect(await put({ cookie, 'Sec-Fetch-Site': 'same-site' })).toBe(403)
  expect(await put({ cookie, Origin: 'http://evil.example' })).toBe(403)
  expect(await put({ cookie, Origin: 'null' })).toBe(403)
  expect(await put({ cookie, 'Sec-Fetch-Site': 'same-origin' })).toBe(200)
  expect(await put({ cookie, Origin: new URL(rig.url).origin })).toBe(200)
  expect(await put(bearer(tokens.operator))).toBe(200)
})

test('viewers look and change nothing; operators do what leaves the records true', async () => {
  const verbs = [
    ['PUT', '/api/queues/retry.orders.bill/promote', 200],
    ['PUT', '/api/queues/retry.orders.bill/retry/failed', 200],
    ['PUT', '/api/queues/retry.orders.bill/obliterate', 403],
    ['PUT', '/api/queues/retry.orders.bill/empty', 403],
    ['PUT', '/api/queues/retry.orders.bill/clean/failed', 200],
    ['PUT', '/api/queues/retry.orders.bill/clean/completed', 200],
    ['POST', '/api/queues/retry.orders.bill/add', 403],
    ['PATCH', '/api/queues/retry.orders.bill/some-job/update-data', 403],
    ['PUT', '/api/queues/pause', 200],
    ['PUT', '/api/queues/resume', 200],
    ['PUT', '/api/queues/effect.bill.mail/pause', 403],
  ] as const
  for (const [method, path, status] of verbs) {
    const headers = bearer(tokens.operator)
    expect([path, (await call(path, { method, headers })).status]).toEqual([path, status])
    const asViewer = await call(path, { method, headers: bearer(tokens.viewer) })
    expect([path, asViewer.status]).toEqual([path, 403])
  }
  const seen = await call('/api/queues', { headers: bearer(tokens.viewer) })
  const { queues } = (await seen.json()) as { queues: readonly { name: string; readOnlyMode: boolean }[] }
  expect(queues.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([
    ['retry.orders.bill', true],
    ['effect.bill.mail', true],
  ])
})

test('cleaning a queue ignores the heads of all that is shown, one by one', async () => {
  for (const key of ['order-3', 'order-4', 'order-5']) rig.broken.add(key)
  await rig.append('order-3 1', 'order-4 1', 'order-5 1')
  const shown = async () => {
    const path = '/api/queues?activeQueue=retry.orders.bill&status=failed'
    const answer = await call(path, { headers: bearer(tokens.viewer) })
    const { queues } = (await answer.json()) as { queues: readonly { jobs: readonly unknown[] }[] }
    return queues[0]?.jobs.length ?? 0
  }
  await rig.until(async () => (await shown()) === 3)
  const path = '/api/queues/retry.orders.bill/clean/failed'
  expect((await call(path, { method: 'PUT', headers: bearer(tokens.operator) })).status).toBe(200)
  expect(rig.ruled.toSorted()).toEqual([3, 4, 5].map((n) => `order-${n} ignored by console operator: ruled`))
  expect(await shown()).toBe(0)
  rig.broken.clear()
  rig.ruled.length = 0
})

test('removing a job ignores the head of its key, by name of who did it', async () => {
  rig.broken.add('order-9')
  await rig.append('order-9 1')
  const jobs = async () => {
    const path = '/api/queues?activeQueue=retry.orders.bill&status=failed'
    const answer = await call(path, { headers: bearer(tokens.operator) })
    const { queues } = (await answer.json()) as {
      queues: readonly { name: string; jobs: readonly { id: string; name: string }[] }[]
    }
    return queues.find(({ name }) => name === 'retry.orders.bill')?.jobs ?? []
  }
  await rig.until(async () => (await jobs()).length === 1)
  const [job] = await jobs()
  expect(job?.name).toBe('Placed order-9')
  const path = `/api/queues/retry.orders.bill/${job?.id}/clean`
  expect((await call(path, { method: 'PUT', headers: bearer(tokens.viewer) })).status).toBe(403)
  expect((await call(path, { method: 'PUT', headers: bearer(tokens.operator) })).status).toBe(204)
  expect(rig.ruled).toEqual(['order-9 ignored by console operator: ruled'])
  // The line goes on without it.
  rig.broken.clear()
  await rig.append('order-9 2')
  await rig.until(() => rig.handled.includes('order-9 2'))
  expect(rig.handled).not.toContain('order-9 1')
})
