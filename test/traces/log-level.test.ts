import { httpApp, logLevelRoutes } from '@millrace/hono'
import { contextStore, createLogger, logLevels } from '@millrace/service'
import { beforeEach, expect, test } from 'vitest'

let lines: string[]
let logger: ReturnType<typeof createLogger>
let app: ReturnType<typeof httpApp>
beforeEach(() => {
  lines = []
  logger = createLogger({ service: 'ops', destination: { write: (line) => void lines.push(line) } })
  app = httpApp({ logger: logger.child({ service: 'ops' }), context: contextStore })
  app.route('/', logLevelRoutes({ logger, levels: logLevels, tokens: ['of-the-console'] }))
})

function ask(method: 'GET' | 'PUT', body?: unknown, token = 'of-the-console') {
  return app.request('/log-level', {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

test('the level is set for every logger of the process, at once', async () => {
  const child = logger.child({ service: 'mail' })
  child.debug('too fine')
  expect(await (await ask('GET')).json()).toMatchObject({ level: 'info' })
  expect((await ask('PUT', { level: 'debug' })).status).toBe(200)
  child.debug('now it is')
  expect(lines.some((line) => line.includes('now it is'))).toBe(true)
  expect(lines.some((line) => line.includes('too fine'))).toBe(false)
  expect(await (await ask('GET')).json()).toMatchObject({ level: 'debug' })
})

test('a log that falls silent says why', async () => {
  await ask('PUT', { level: 'silent' })
  logger.error('unheard')
  expect(lines.at(-1)).toContain('The log level is silent from now on; it was info')
})

test.each([
  ['a stranger', { level: 'debug' }, 'guessed', 401],
  ['a level that is none', { level: 'loud' }, undefined, 400],
  ['a member that is not known', { level: 'debug', password: 'x' }, undefined, 400],
])('%s changes nothing', async (_, body, token, status) => {
  expect((await ask('PUT', body, token)).status).toBe(status)
  expect(logger.level).toBe('info')
})
