import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RealServices } from './real-services.ts'
import { intakeToken, startRealGateway, type TestGateway } from './start-gateway.ts'

let gateway: TestGateway<RealServices>
beforeAll(async () => {
  gateway = await startRealGateway({ limits: { clients: { signUp: { burst: 2, perMinute: 1 } } } })
})
afterAll(() => gateway.stop())

let n = 0
async function signUp(headers: Readonly<Record<string, string>> = {}): Promise<number> {
  n += 1
  const body = { username: 'Ada', email: `ada${n}@example.org`, password: 'correct horse battery' }
  const answer = await fetch(`${gateway.url}/users`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
  await answer.body?.cancel()
  return answer.status
}

describe('an intake token', () => {
  it('opens the topics', async () => {
    await signUp({ authorization: `Bearer ${intakeToken}` })
    const url = `${gateway.url}/topics/accounts/events`
    expect((await fetch(url)).status).toBe(401)
    const answer = await fetch(url, { headers: { authorization: `Bearer ${intakeToken}` } })
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(await answer.text()).toContain('AccountCreated')
  })

  it('lets its holder sign people up as often as he likes, unlike others', async () => {
    const all = async (headers: Readonly<Record<string, string>>) => {
      const statuses: number[] = []
      for (let turn = 0; turn < 4; turn += 1) statuses.push(await signUp(headers))
      return statuses
    }
    expect(await all({ authorization: `Bearer ${intakeToken}` })).toEqual([201, 201, 201, 201])
    expect(await all({ authorization: 'Bearer other' })).toEqual([201, 201, 429, 429])
    expect(await all({ authorization: `Bearer ${intakeToken}` })).toEqual([201, 201, 201, 201])
  })
})
