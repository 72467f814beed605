import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { maskAddress, maskText, MillraceError } from '@millrace/event'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { runInContext } from './context.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

const seed = testSeed()

function recorder(options: Partial<LoggerOptions> = {}) {
  const written: string[] = []
  const logger = createLogger({
    service: 'uniq',
    ...options,
    destination: { write: (line) => void written.push(line) },
  })
  return { logger, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a logger', () => {
  it('writes one object a line with service, level, time and the allowed fields', () => {
    const { logger, lines } = recorder()
    logger.info('listening', { port: 3_001, url: 'http://127.0.0.1:3001' })
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        service: 'uniq',
        port: 3_001,
        url: 'http://127.0.0.1:3001',
        msg: 'listening',
      },
    ])
  })

  it('leaves out what is not on the list, and says its name', () => {
    const { logger, written, lines } = recorder({ fields: ['colour'] })
    logger.info('signed up', {
      password: 'hunter2',
      body: { email: 'a@b.c' },
      data: 'x',
      colour: 'red',
      status: undefined,
    })
    expect(written.join('')).not.toMatch(/hunter2|a@b/)
    expect(lines()[0]).toMatchObject({ omitted: 'password,body,data', colour: 'red' })
    expect(lines()[0]).not.toHaveProperty('status')
  })

  it('writes no objects, even under an allowed name', () => {
    const { logger, lines } = recorder()
    logger.info('x', { reason: { email: 'a@b.c' }, key: ['a', { b: 1 }] })
    expect(lines()[0]).toMatchObject({ reason: '[object]', key: ['a', '[object]'] })
  })

  it('carries the ids of what is running', async () => {
    const { logger, lines } = recorder()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await runInContext({ correlationId: 'c-1', causationId: 'e-1', traceparent }, async () => {
      await Promise.resolve()
      logger.info('inside')
    })
    logger.info('outside')
    expect(lines()[0]).toMatchObject({
      correlationid: 'c-1',
      causationid: 'e-1',
      traceid: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanid: '00f067aa0ba902b7',
    })
    expect(lines()[1]).not.toHaveProperty('correlationid')
  })

  it('describes errors with code, stack and causes, masked', () => {
    const { logger, lines, written } = recorder()
    const cause = new Error('connect to redis://:s3cret-pass@host failed for anna@example.org')
    logger.error('failed', {
      err: new MillraceError('log.unavailable', 'gone', { cause, details: { body: 'private' } }),
    })
    expect(lines()[0]).toMatchObject({
      err: {
        type: 'MillraceError',
        code: 'log.unavailable',
        message: 'gone',
        cause: { message: 'connect to redis://***@host failed for a***@example.org' },
      },
    })
    expect(written.join('')).not.toMatch(/s3cret|anna@|private/)
    expect(lines()[0]).toMatchObject({ err: { stack: expect.stringContaining('logger.test.ts') } })
  })

  it('changes its level at run time, for its children too', () => {
    const { logger, lines } = recorder()
    const child = logger.child({ service: 'mail', topic: 'accounts' })
    child.debug('unseen')
    logger.level = 'debug'
    child.debug('seen', { partition: 3 })
    expect(child.level).toBe('debug')
    expect(lines()).toEqual([
      expect.objectContaining({ msg: 'seen', service: 'mail', topic: 'accounts', partition: 3 }),
    ])
  })

  it('masks the message itself', () => {
    const { logger, lines } = recorder()
    logger.info('mail to anna@example.org with token=abc123')
    expect(lines()[0]?.['msg']).toBe('mail to a***@example.org with token=***')
  })

  it('writes lines for people on request', () => {
    const { logger, written } = recorder({ format: 'pretty' })
    logger.warn('slow', { ms: 1_200 })
    expect(written.join('')).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: uniq: slow\n {4}ms: 1200\n$/)
  })

  it('goes on when nobody reads its lines any more', async () => {
    const program = `
      import { createLogger } from ${JSON.stringify(new URL('./logger.ts', import.meta.url).href)}
      const logger = createLogger({ service: 'x' })
      process.stdin.once('data', () => {
        for (let i = 0; i < 100; i++) logger.info('nobody reads this')
        process.stderr.write('alive')
        process.stdin.destroy()
      })
      logger.info('ready')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    await once(child.stdout, 'close')
    let said = ''
    child.stderr.on('data', (chunk) => (said += String(chunk)))
    child.stdin.write('go')
    // Not its exit: what it has said may still be on the way then.
    const [code] = (await once(child, 'close')) as [number]
    expect({ code, said }).toEqual({ code: 0, said: 'alive' })
  })
})

describe('masking', () => {
  it.each([
    ['anna@example.org', 'a***@example.org'],
    ['"odd name"@example.org', '"***@example.org'],
    ['@example.org', '***@example.org'],
    ['nothing', '***'],
  ])('of the address %s gives %s', (address, masked) => expect(maskAddress(address)).toBe(masked))

  it.each([
    ['postgres://user:p@ss@db:5432/x', 'postgres://***@db:5432/x'],
    ['Authorization: Bearer abcdefgh12345', 'Authorization: *** ***'],
    ['password=hunter2&x=1', 'password=***&x=1'],
    ['{"password":"hunter2","a":1}', '{"password":"***","a":1}'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_DEF', '***'],
    ['key R2D2c3poR2D2c3poR2D2c3poR2D2c3poXY used', 'key *** used'],
    ['kR+/mNq0vYw1xQe2zLr3aTs4bUf5cVg6dWh7eXi8fY0=', '***'],
    ['-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----', '***'],
    ['<müller@bücher.example>', '<m***@bücher.example>'],
    ['to "anna smith"@example.org, too', 'to "***@example.org, too'],
    ['anna@[127.0.0.1]', 'a***@[127.0.0.1]'],
    ['{"email":"anna@example.org"}', '{"email":"a***@example.org"}'],
  ])('of %j gives %j', (text, masked) => expect(maskText(text)).toBe(masked))

  it.each([
    '0190f6b4-7c1a-7d3e-9b1a-2f6d8c4e5a70',
    'accounts/3/1700000000000-42',
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'at Module._compile (node:internal/modules/cjs/loader:1554:14)',
    'the token was refused',
  ])('leaves %j as it is', (text) => expect(maskText(text)).toBe(text))

  it(`shows no address whatever stands around it (seed ${seed})`, () => {
    const local = fc.stringMatching(/^[a-z0-9.+_-]{2,30}$/)
    const around = fc.constantFrom(' ', '<', '"', "'", '(', ',', ';', '\n', '=', ':')
    fc.assert(
      fc.property(around, local, around, (before, name, after) => {
        expect(maskText(`x${before}${name}@example.org${after}y`)).not.toContain(`${name}@`)
      }),
      { seed },
    )
  })

  it.each(['a', '1', '-', 'a-', 'A1a', ':/', '@', 'ey', ' '])('is quick on a long run of %j', (part) => {
    const from = process.cpuUsage()
    maskText(part.repeat(100_000))
    expect(process.cpuUsage(from).user / 1_000).toBeLessThan(500)
  })
})
