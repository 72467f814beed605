import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FakeServices } from './fake-services.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'
import { person, signUpAs, Visitor } from './visitor.ts'

let gateway: TestGateway<FakeServices>
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

const signedUp = (email: string) => signUpAs(gateway.url, email)

function accountsOf(email: string) {
  return [...gateway.services.accounts.values()].filter((account) => account.email === email)
}

describe('cookies', () => {
  it('are out of reach of scripts and other sites', async () => {
    const visitor = await signedUp('cookies@example.org')
    for (const cookie of visitor.setCookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Strict/)
    expect(visitor.cookieNames()).toEqual(['millrace-sent-to', 'millrace-session'])
  })

  it('of nonsense are no session', async () => {
    const visitor = new Visitor(gateway.url)
    for (const value of ['', 'a', '%00', '../.. x', 'x'.repeat(3_000), 'a%20b%20c%20d', '%E0%A4%A']) {
      visitor.cookies.set('millrace-session', value)
      await visitor.open('/account')
      expect(visitor.path).toBe('/sign-in?why=ended')
    }
  })

  it('of another account show nothing', async () => {
    const visitor = await signedUp('mine@example.org')
    const other = await signedUp('other@example.org')
    const [id = '', ...rest] = decodeURIComponent(visitor.cookies.get('millrace-session') ?? '').split(' ')
    const [otherId = ''] = decodeURIComponent(other.cookies.get('millrace-session') ?? '').split(' ')
    expect(id).not.toBe(otherId)
    visitor.cookies.set('millrace-session', encodeURIComponent([otherId, ...rest].join(' ')))
    await visitor.open('/account')
    expect(visitor.path).toBe('/sign-in?why=ended')
  })
})

describe('forms from elsewhere', () => {
  it('are refused, whichever header tells where they come from', async () => {
    const evil = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.org' },
      { 'sec-fetch-site': 'same-site', origin: 'https://www.evil.example.org' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example.org' },
      { origin: 'null' },
      {},
    ]
    for (const headers of evil)
      for (const path of ['/', '/sign-in', '/sign-out', '/resend', '/activate', '/account/close']) {
        const visitor = new Visitor(gateway.url, headers)
        await visitor.post(path, person('evil@example.org'))
        expect([path, visitor.status]).toEqual([path, 403])
      }
    expect(accountsOf('evil@example.org')).toEqual([])
  })

  it('are refused without the token of the session', async () => {
    const visitor = await signedUp('token@example.org')
    await visitor.open('/account')
    const fields = visitor.hidden('/account/close')
    expect(fields['form-token']).toMatch(/^[\w-]{43}$/)
    for (const token of ['', 'wrong', 'x'.repeat(43)]) {
      await visitor.post('/account/close', { ...fields, 'form-token': token, sure: 'yes' })
      expect(visitor.status).toBe(403)
      await visitor.post('/sign-out', { 'form-token': token })
      expect(visitor.status).toBe(403)
    }
    expect(accountsOf('token@example.org')).toMatchObject([{ closed: false }])
  })

  it('must be forms', async () => {
    const answer = await fetch(`${gateway.url}/sign-in`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    })
    expect(answer.status).toBe(415)
  })
})
