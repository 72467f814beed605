import { httpApp } from '@millrace/hono'
import { expect, test } from 'vitest'
import { tokenAccess } from './token-access.ts'

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

async function ask(headers: Record<string, string>): Promise<[number, string]> {
  const access = tokenAccess({ operator: ['let-me-mend'], viewer: ['let-me-look'] })
  const app = httpApp({ logger: silent, context })
  app.use('/closed/*', access.guard)
  app.get('/closed/look', (c) => c.text('seen'))
  app.get('/closed/mend', (c) => c.text(access.actorOf(c)))
  const look = await app.request('/closed/look', { headers })
  const mend = await app.request('/closed/mend', { headers })
  return [look.status, mend.status === 200 ? await mend.text() : String(mend.status)]
}

test.each<[string, Record<string, string>, [number, string]]>([
  ['no token', {}, [401, '401']],
  ['a cookie alone', { cookie: 'millrace-console=operator.9999999999999.x' }, [401, '401']],
  ['a wrong token', { authorization: 'Bearer let-me-in' }, [401, '401']],
  ['an empty token', { authorization: 'Bearer ' }, [401, '401']],
  ['a viewer', { authorization: 'Bearer let-me-look' }, [200, '403']],
  ['an operator', { authorization: 'Bearer let-me-mend' }, [200, 'operator']],
  [
    'an operator with a name',
    { authorization: 'bearer let-me-mend', 'x-actor': 'Ada L.' },
    [200, 'operator Ada L.'],
  ],
  [
    'an operator with a strange name',
    { authorization: 'Bearer let-me-mend', 'x-actor': 'Zoë' },
    [200, '400'],
  ],
])('%s', async (_, headers, expected) => {
  expect(await ask(headers)).toEqual(expected)
})
