import { MillraceError } from '@millrace/event'
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

describe('the sign-up form', () => {
  it('makes one account however often it is sent, and however the answers arrive', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    const fields = { ...visitor.hidden('/'), ...person('twice@example.org') }
    await Promise.all([1, 2].map(() => visitor.post('/', fields)))
    await visitor.post('/', fields)
    expect(visitor.path).toBe('/welcome')
    expect(accountsOf('twice@example.org')).toHaveLength(1)
  })

  it('comes back with every fault, the values, the same request key and without the password', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    const key = visitor.hidden('/')['request-key']
    await visitor.send('/', { username: '', email: 'nobody', password: 'secret-in-the-form' })
    expect(visitor.status).toBe(400)
    expect(visitor.text).toContain('Name is needed.')
    expect(visitor.text).toContain('The address has no @.')
    expect(visitor.text).toContain('value="nobody"')
    expect(visitor.text).not.toContain('secret-in-the-form')
    expect(visitor.hidden('/')['request-key']).toBe(key)
  })

  it('shows text as text', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    await visitor.send('/', { username: '"><script>alert(1)</script>', email: '<b>', password: '' })
    expect(visitor.text).not.toMatch(/<script>|<b>/)
    expect(visitor.text).toContain('&lt;script&gt;')
  })

  it('says whose address is taken, and offers to sign in', async () => {
    await signedUp('taken@example.org')
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    await visitor.send('/', person('TAKEN@example.org'))
    expect(visitor.status).toBe(409)
    expect(visitor.text).toContain('This address already has an account.')
    expect(visitor.text).toContain('Sign in instead')
  })

  it('explains itself when it was used before with other entries, and can then be used again', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    const first = visitor.hidden('/')
    await visitor.send('/', person('one@example.org'))
    await visitor.post('/', { ...first, ...person('two@example.org') })
    expect(visitor.status).toBe(422)
    expect(visitor.text).toContain('has made an account already')
    await visitor.send('/', person('two@example.org'))
    expect(visitor.path).toBe('/welcome')
    expect(accountsOf('two@example.org')).toHaveLength(1)
  })

  it('keeps the entries when the service is away, and says what to quote', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    gateway.services.faults.command.fail = new MillraceError('log.unavailable')
    await visitor.send('/', person('later@example.org'))
    delete gateway.services.faults.command.fail
    expect(visitor.status).toBe(503)
    expect(visitor.text).toContain('value="later@example.org"')
    expect(visitor.text).toMatch(/please quote\s*<code>[\w-]{36}<\/code>/)
    await visitor.send('/', person('later@example.org'))
    expect(visitor.path).toBe('/welcome')
  })
})

describe('the account', () => {
  it('is read from the position of its latest change on', async () => {
    const visitor = await signedUp('after@example.org')
    await visitor.open('/account')
    await visitor.send('/account/address', { email: 'moved@example.org' })
    expect(visitor.path).toBe('/account?done=address')
    expect(visitor.text).toContain('moved@example.org')
    const read = gateway.services.seen.findLast(({ call }) => call.startsWith('GET /users/'))
    expect(read?.after).toBe('accounts/0/1700000000000-2')
  })

  it('tells when it was changed in another window, and when nothing changed', async () => {
    const visitor = await signedUp('windows@example.org')
    await visitor.open('/account')
    const old = visitor.hidden('/account/address')
    await visitor.send('/account/address', { email: 'windows2@example.org' })
    await visitor.post('/account/address', { ...old, email: 'windows3@example.org' })
    expect(visitor.status).toBe(412)
    expect(visitor.text).toContain('has changed in the meantime')
    await visitor.send('/account/address', { email: 'windows2@example.org' })
    expect(visitor.path).toBe('/account?done=same')
  })

  it('ends the visit when the session has ended', async () => {
    const visitor = await signedUp('gone@example.org')
    await visitor.open('/account')
    const fields = visitor.hidden('/account/password')
    const [account] = accountsOf('gone@example.org')
    gateway.services.accounts.delete(account?.id ?? '')
    await visitor.post('/account/password', { ...fields, current: 'a', next: 'b' })
    expect(visitor.path).toBe('/sign-in?why=ended')
    expect(visitor.cookies.has('millrace-session')).toBe(false)
  })

  it('is shown again when the cookie has a position that nobody understands', async () => {
    const visitor = await signedUp('odd@example.org')
    const cookie = decodeURIComponent(visitor.cookies.get('millrace-session') ?? '')
    visitor.cookies.set('millrace-session', encodeURIComponent(cookie.replace(/[^ ]+$/, 'nonsense')))
    await visitor.open('/account')
    expect([visitor.path, visitor.status]).toEqual(['/account', 200])
    expect(visitor.text).toContain('odd@example.org')
  })

  it('is a page with something to quote when user-query is away', async () => {
    const visitor = await signedUp('away@example.org')
    gateway.services.faults.query.fail = new MillraceError('view.behind')
    await visitor.open('/account')
    delete gateway.services.faults.query.fail
    expect(visitor.status).toBe(504)
    expect(visitor.text).toContain('Please load it again')
    expect(visitor.text).toMatch(/<code>[\w-]{36}<\/code>/)
  })
})

describe('links', () => {
  it('of mails change nothing by being opened', async () => {
    await signedUp('scanner@example.org')
    const { token } = gateway.services.mails.at(-1) ?? { token: '' }
    const before = gateway.services.seen.length
    const visitor = new Visitor(gateway.url)
    await visitor.open(`/activate?token=${token}`)
    expect(visitor.status).toBe(200)
    expect(gateway.services.seen).toHaveLength(before)
    expect(accountsOf('scanner@example.org')).toMatchObject([{ activated: false }])
    await visitor.send('/activate', {})
    expect(visitor.path).toBe('/activated')
    await visitor.post('/activate', { token })
    expect(visitor.path).toBe('/activated?already=yes')
    expect(visitor.text).toContain('already confirmed')
  })

  it('that are broken or old lead to a new one', async () => {
    await signedUp('old@example.org')
    const { token } = gateway.services.mails.at(-1) ?? { token: '' }
    const visitor = new Visitor(gateway.url)
    await visitor.open(`/activate?token=${token.slice(0, -6)}`)
    expect([visitor.status, visitor.text.includes('This link is incomplete')]).toEqual([400, true])
    const [account] = accountsOf('old@example.org')
    if (account) account.email = 'new@example.org'
    await visitor.post('/activate', { token })
    expect([visitor.status, visitor.text.includes('can no longer be used')]).toEqual([410, true])
    await visitor.send('/resend', { email: 'new@example.org' })
    expect(visitor.path).toBe('/welcome?again=yes')
    expect(gateway.services.mails.at(-1)?.to).toBe('new@example.org')
  })

  it('are sent once more to the address that this browser signed up with', async () => {
    const visitor = await signedUp('again@example.org')
    expect(visitor.text).toContain('a…@example.org')
    await visitor.send('/resend', {})
    expect(visitor.path).toBe('/welcome?again=yes')
    expect(gateway.services.mails.slice(-2).map(({ to }) => to)).toEqual([
      'again@example.org',
      'again@example.org',
    ])
    await new Visitor(gateway.url).post('/resend', { email: ' ' })
  })
})

describe('private sign-up', () => {
  it('looks the same for a new address and a taken one', async () => {
    const own = await startGateway({ privateSignUp: true })
    try {
      const pages: string[] = []
      for (let turn = 0; turn < 2; turn += 1) {
        const visitor = new Visitor(own.url)
        await visitor.open('/')
        expect(visitor.text).toContain('This page tells nobody')
        await visitor.send('/', person('secret@example.org'))
        expect([visitor.path, visitor.cookieNames()]).toEqual(['/welcome', ['millrace-sent-to']])
        pages.push(visitor.text)
      }
      expect(pages[0]).toBe(pages[1])
      expect(pages[0]).toContain('If the address already has an account, it says so.')
      expect(own.services.accounts.size).toBe(1)
    } finally {
      await own.stop()
    }
  })
})

describe('what pages load', () => {
  it('may be kept for ever under an address that changes with it', async () => {
    const visitor = new Visitor(gateway.url)
    await visitor.open('/')
    const hrefs = [...visitor.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(hrefs).toHaveLength(3)
    for (const href of hrefs) {
      const answer = await fetch(gateway.url + href)
      expect(answer.headers.get('cache-control')).toContain('immutable')
      const plain = await fetch(gateway.url + href.replace(/\?.*/, ''))
      expect(plain.headers.get('cache-control')).toBe('no-cache')
      await Promise.all([answer.text(), plain.text()])
    }
  })
})
