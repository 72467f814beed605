import { type AccountsClient, createAccountsClient, ProblemError } from '@millrace-app/gateway/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RealServices } from './real-services.ts'
import { startRealGateway, type TestGateway } from './start-gateway.ts'

let gateway: TestGateway<RealServices>
let client: AccountsClient
/** Answers that do not have the members that the document names. */
const strange: string[] = []

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
interface Operation {
  readonly responses: Readonly<
    Record<string, { content?: Record<string, { schema?: { required?: readonly string[] } }> }>
  >
}

beforeAll(async () => {
  gateway = await startRealGateway()
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document
  client = createAccountsClient({
    baseUrl: gateway.url,
    fetch: async (url, init) => {
      const answer = await fetch(url, init)
      const path = new URL(url).pathname.replace(/^\/users\/[^/]+/, '/users/{id}')
      const responses = document.paths[path]?.[(init.method ?? '').toLowerCase()]?.responses ?? {}
      const described = responses[String(answer.status)]
      const members = described?.content?.['application/json']?.schema?.required
      const found = answer.ok ? Object.keys((await answer.clone().json()) as object).toSorted() : []
      if (!described || (answer.ok && String(found) !== String(members?.toSorted())))
        strange.push(`${init.method} ${path} ${answer.status}: ${found.join(', ')}`)
      return answer
    },
  })
})
afterAll(() => gateway.stop())

it('an account lives its life through the typed client, and every answer is as the document says', async () => {
  const password = 'correct horse battery'
  const ada = { username: 'Ada', email: 'ada@example.org', password }
  const made = await client.signUp({ body: ada }, { idempotencyKey: 'ada-signs-up-once' })
  const again = await client.signUp({ body: ada }, { idempotencyKey: 'ada-signs-up-once' })
  if (made.status !== 201 || again.status !== 201) throw new Error('sign-up is not private here')
  const { id, token, position } = made.body
  expect([again.body.id, again.body.position]).toEqual([id, position])

  const read = await client.readAccount({ id, after: position }, { token })
  expect(read.body).toMatchObject({
    id,
    username: 'Ada',
    email: 'ada@example.org',
    activated: false,
    version: 1,
  })
  const link = (await gateway.services.mails()).at(-1)?.token ?? ''
  const activated = await client.activate({ body: { token: link } })
  const after = await client.readAccount({ id, after: activated.body.position }, { token })
  expect(after.body.activated).toBe(true)

  const ifMatch = after.headers.get('etag') ?? ''
  const change = { id, body: { email: 'countess@example.org' } }
  await client.changeAddress(change, { token, ifMatch })
  await expect(
    client.changeAddress({ ...change, body: { email: 'c@example.org' } }, { token, ifMatch }),
  ).rejects.toThrow(ProblemError)
  await client.resendLinkTo({ body: { email: 'countess@example.org' } })
  const renewed = await client.changePassword(
    { id, body: { current: password, next: 'another long one' } },
    { token },
  )
  const signedIn = await client.signIn({
    body: { email: 'COUNTESS@example.org', password: 'another long one' },
  })
  expect(signedIn.body.account).toEqual({ id, activated: false })
  await client.closeAccount({ id }, { token: renewed.body.token, idempotencyKey: 'ada-closes-once' })
  const gone = await client
    .signIn({ body: { email: 'countess@example.org', password } })
    .catch((error: unknown) => error)
  expect(gone).toMatchObject({ problem: { code: 'session.refused', status: 401 } })
  expect(strange).toEqual([])
})
