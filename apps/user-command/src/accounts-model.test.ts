import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { Model, type ModelAccount, normal } from './testing/model.ts'
import { type Answer, bearer, openStand } from './testing/stand.ts'

const seed = testSeed()
const minute = 60_000

const email = fc.constantFrom(
  'ada@example.org',
  'Ada@Example.ORG',
  ' eve@example.org',
  'EVE@example.org',
  'ida@example.org',
)
const password = fc.constantFrom('first password', 'second password')
const who = fc.nat({ max: 4 })
const key = fc.option(fc.constantFrom('k-1', 'k-2'), { nil: undefined })
// Mostly the newest session, sometimes the oldest.
const session = fc.constantFrom('newest', 'newest', 'newest', 'oldest')

const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('signUp' as const), email, password, key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('signIn' as const), email, password }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('patch' as const), who, session, email, key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('password' as const), who, session, password, next: password }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), who, session, key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('activate' as const), who, link: fc.nat({ max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resend' as const), who, session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 10) }) },
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never
type Of<Name extends Command['do']> = Extract<Command, { do: Name }>

/** The service and the model, side by side. Each step says what the model expects and compares. */
class Run {
  readonly stand = openStand()
  readonly model = new Model()
  nowMs = 0

  async step(one: Command): Promise<void> {
    switch (one.do) {
      case 'wait':
        this.stand.pass(one.minutes * minute)
        this.nowMs += one.minutes * minute
        return
      case 'signUp':
        return this.signUp(one)
      case 'signIn':
        return this.signIn(one)
      case 'patch':
        return this.of(one, (account) => this.patch(account, one))
      case 'password':
        return this.of(one, (account) => this.password(account, one))
      case 'close':
        return this.of(one, (account) => this.close(account, one))
      case 'activate':
        return this.of(one, (account) => this.activate(account, one))
      case 'resend':
        return this.of(one, (account) => this.resend(account, one))
    }
  }

  private async of(one: { who: number }, act: (account: ModelAccount) => Promise<void>): Promise<void> {
    const account = this.model.accounts[one.who % Math.max(1, this.model.accounts.length)]
    if (account) await act(account)
  }

  private async signUp(one: Of<'signUp'>): Promise<void> {
    const body = { username: 'Somebody', email: one.email, password: one.password }
    const known = one.key === undefined ? undefined : this.model.signUps.get(one.key)
    const text = JSON.stringify({ ...body, email: one.email.trim() })
    const expected = known ? (known.body === text ? 201 : 422) : this.model.holderOf(one.email) ? 409 : 201
    const answer = await this.stand.send('POST', '/users', body, keyHeader(one.key))
    expect(answer.status).toBe(expected)
    if (expected !== 201) return
    const id = String(answer.body['id'])
    expect(known?.id ?? id).toBe(id)
    const account = known ? this.model.accounts.find((each) => each.id === id) : undefined
    const made = account ?? (await this.make(id, one))
    this.opened(made, answer, 1)
    if (one.key !== undefined) this.model.signUps.set(one.key, { body: text, id })
  }

  private async make(id: string, one: Of<'signUp'>): Promise<ModelAccount> {
    const account: ModelAccount = {
      id,
      email: one.email.trim(),
      password: one.password,
      passwordVersion: 1,
      state: 'pending',
      version: 0,
      linksAtMs: [],
      links: new Map(),
      sessions: [],
      taken: new Map(),
    }
    this.model.accounts.push(account)
    await this.linkMailed(account)
    return account
  }

  private async signIn(one: Of<'signIn'>): Promise<void> {
    const account = this.model.holderOf(one.email)
    const right = account?.password === one.password
    const answer = await this.stand.send('POST', '/sessions', { email: one.email, password: one.password })
    expect(answer.status).toBe(right ? 200 : 401)
    if (!account || !right) return
    expect(answer.body['account']).toEqual({ id: account.id, activated: account.state === 'active' })
    this.opened(account, answer, account.passwordVersion)
  }

  private async patch(account: ModelAccount, one: Of<'patch'>): Promise<void> {
    const { headers, refusal, expired } = this.access(account, one.session)
    const typed = one.email.trim()
    const known = one.key === undefined || expired ? undefined : account.taken.get(`patch ${one.key}`)
    const holder = this.model.holderOf(typed)
    const fresh = refusal ?? (holder && holder !== account ? 409 : 200)
    const answer = await this.stand.send(
      'PATCH',
      `/users/${account.id}`,
      { email: one.email },
      { ...headers, ...keyHeader(one.key) },
    )
    expect(answer.status).toBe(known === undefined ? fresh : known === typed ? 200 : 422)
    if (known !== undefined || answer.status !== 200) return
    const changes = normal(account.email) !== normal(typed)
    if (changes) {
      account.email = typed
      account.state = 'pending'
      await this.linkMailed(account)
      if (one.key !== undefined) account.taken.set(`patch ${one.key}`, typed)
    }
    expect(answer.headers.get('etag')).toBe(`"${account.version}"`)
  }

  private async password(account: ModelAccount, one: Of<'password'>): Promise<void> {
    const { headers, refusal } = this.access(account, one.session)
    const body = { current: one.password, next: one.next }
    const answer = await this.stand.send('POST', `/users/${account.id}/password`, body, headers)
    expect(answer.status).toBe(refusal ?? (account.password === one.password ? 200 : 400))
    if (answer.status !== 200) return
    account.version += 1
    account.password = one.next
    account.passwordVersion = account.version
    this.opened(account, answer, account.version)
  }

  private async close(account: ModelAccount, one: Of<'close'>): Promise<void> {
    const { headers, refusal, expired } = this.access(account, one.session)
    const known = one.key !== undefined && !expired && account.taken.has(`close ${one.key}`)
    const answer = await this.stand.send('DELETE', `/users/${account.id}`, undefined, {
      ...headers,
      ...keyHeader(one.key),
    })
    expect(answer.status).toBe(known ? 200 : (refusal ?? 200))
    if (known || answer.status !== 200) return
    account.version += 1
    account.state = 'closed'
    if (one.key !== undefined) account.taken.set(`close ${one.key}`, '')
  }

  private async activate(account: ModelAccount, one: Of<'activate'>): Promise<void> {
    const [eventId, linked] = [...account.links][one.link % account.links.size] ?? ['', '']
    const { token } = await this.stand.links.issue({ accountId: account.id, eventId })
    const answer = await this.stand.send('POST', '/activations', { token })
    const holds = account.state !== 'closed' && linked === account.email
    expect(answer.status).toBe(holds ? 200 : 410)
    if (!holds || account.state === 'active') return
    account.version += 1
    account.state = 'active'
  }

  private async resend(account: ModelAccount, one: Of<'resend'>): Promise<void> {
    const { headers, refusal } = this.access(account, one.session)
    const answer = await this.stand.send('POST', `/users/${account.id}/activation`, undefined, headers)
    const recent = account.linksAtMs.filter((at) => at > this.nowMs - 24 * 60 * minute)
    const free = recent.length < 5 && !recent.some((at) => at > this.nowMs - minute)
    expect(answer.status).toBe(refusal ?? (account.state === 'active' || free ? 202 : 429))
    if (answer.status === 202 && account.state === 'pending') await this.linkMailed(account)
  }

  private opened(account: ModelAccount, answer: Answer, passwordVersion: number): void {
    account.sessions.push({ token: String(answer.body['token']), passwordVersion, atMs: this.nowMs })
  }

  /** Notes an event that leads to a mail with a link. */
  private async linkMailed(account: ModelAccount): Promise<void> {
    account.version += 1
    account.linksAtMs.push(this.nowMs)
    const last = (await this.stand.events()).findLast(({ subject }) => subject === account.id)
    account.links.set(last?.id ?? '', account.email)
  }

  /** A session of the account, and how a request with it must be refused, if so. */
  private access(account: ModelAccount, which: 'newest' | 'oldest') {
    const used = account.sessions.at(which === 'newest' ? -1 : 0)
    const expired = used === undefined || this.nowMs - used.atMs >= 15 * minute
    const stale = used?.passwordVersion !== account.passwordVersion
    const refusal = expired ? 401 : account.state === 'closed' ? 404 : stale ? 401 : undefined
    return { headers: bearer(used?.token), refusal, expired }
  }

  async compare(): Promise<void> {
    const events = await this.stand.events()
    const total = this.model.accounts.reduce((sum, { version }) => sum + version, 0)
    expect(events).toHaveLength(total)
    for (const { id, email: typed, state, version, passwordVersion } of this.model.accounts) {
      expect(await this.stand.account(id)).toMatchObject({ email: typed, state, version, passwordVersion })
      const owner = await this.stand.guard.ownerOf('email', [typed])
      expect(owner).toBe(this.model.holderOf(typed)?.id)
    }
  }
}

function keyHeader(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { 'idempotency-key': value }
}

/** Every answer: the sequences must have met them all, or they prove little. */
const answers = [200, 201, 202, 400, 401, 404, 409, 410, 422, 429]

test(`any sequence of commands ends as the model of accounts says (seed ${seed})`, async () => {
  const statuses = new Set<Answer['status']>()
  const property = fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 40 }), async (commands) => {
    const run = new Run()
    const { send } = run.stand
    run.stand.send = async (...args) => {
      const answer = await send(...args)
      statuses.add(answer.status)
      return answer
    }
    for (const one of commands) await run.step(one)
    await run.compare()
  })
  // The rarest ones are a matter of luck: it goes on until it has met them.
  for (let round = 0; round < 20 && answers.some((status) => !statuses.has(status)); round += 1)
    await fc.assert(property, { seed: seed + round, numRuns: 150 })
  expect([...statuses].toSorted((a, b) => a - b)).toEqual(answers)
})
