import { afterAll, beforeAll, expect, test } from 'vitest'
import { WholeSystem } from '../support/whole-system.ts'

let system: WholeSystem
beforeAll(async () => {
  system = await WholeSystem.start()
})
afterAll(() => system?.stop())

test('the running system shows its queues to whoever has the token, and says where it is, not what', async () => {
  const url = `${system.urlOf('OPS')}/queues`
  const { CONSOLE_TOKEN, CONSOLE_VIEWER_TOKEN } = system.secrets
  await system.says(`${url}/ (CONSOLE_TOKEN opens them)`)
  for (const secret of [CONSOLE_TOKEN, CONSOLE_VIEWER_TOKEN]) expect(system.output).not.toContain(secret)
  expect((await fetch(`${url}/api/queues`)).status).toBe(401)
  const answer = await fetch(`${url}/api/queues`, {
    headers: { Authorization: `Bearer ${CONSOLE_VIEWER_TOKEN}` },
  })
  const { queues } = (await answer.json()) as { queues: readonly { name: string }[] }
  expect(queues.map(({ name }) => name)).toEqual([
    'retry.accounts.mail',
    'effect.mail.provider',
    'retry.accounts.user-query',
    'retry.offers.leads',
    'retry.offers.legacy-feed',
    'retry.sales.leads-view',
    'retry.supply.restocking',
    'retry.suggestions.restocking-view',
  ])
  // On a machine that stands still for a moment a dependency may be late once.
  const health = async () => (await fetch(`${system.urlOf('OPS')}/health/ready`)).json()
  await expect.poll(health).toMatchObject({
    state: 'ok',
    dependencies: { 'mail-retries': { state: 'ok' }, 'user-query-retries': { state: 'ok' } },
  })
})
