import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { passwordCosts, readPhc } from './password-hash.ts'
import { createPasswords } from './passwords.ts'
import { WorkQueue } from './work-queue.ts'

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'fine',
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  )

describe('passwords', () => {
  test('are hashed with a salt each, in PHC form, at the cost of OWASP by default', async () => {
    const passwords = createPasswords()
    const stored = await passwords.hash('correct horse')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(await passwords.hash('correct horse')).not.toBe(stored)
    expect(await passwords.verify('correct horse', stored)).toBe(true)
    expect(await passwords.verify('correct house', stored)).toBe(false)
  })

  test('of nobody are never right', async () => {
    expect(await createPasswords({ cost: 'cheap' }).verify('anything', undefined)).toBe(false)
  })

  test('are compared at the cost that they were hashed with', async () => {
    const stored = await createPasswords({ cost: 'cheap' }).hash('correct horse')
    expect(await createPasswords().verify('correct horse', stored)).toBe(true)
    expect(readPhc(stored).cost).toEqual(passwordCosts.cheap)
  })

  test('leave the event loop free while they are hashed', async () => {
    const passwords = createPasswords()
    let turns = 0
    // One hash may be done before a busy machine has turned the loop; one that blocks it never lets it turn.
    for (let hashes = 0; turns < 2 && hashes < 100; hashes += 1) {
      turns = 0
      const hashing = passwords.hash('correct horse').then(() => -1)
      while ((await Promise.race([hashing, delay(1)])) !== -1) turns += 1
    }
    expect(turns).toBeGreaterThan(1)
  })

  test.each([
    '',
    'plain',
    '$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$2b$10$abc',
  ])('stored as %j are a fault of the log', async (stored) => {
    expect(await codeOf(createPasswords({ cost: 'cheap' }).verify('x', stored))).toBe('log.corrupt')
  })
})

describe('the queue', () => {
  test('runs a few at a time, in order, and refuses what is too much', async () => {
    const queue = new WorkQueue({ concurrency: 2, waiting: 2 })
    const started: number[] = []
    const ends: (() => void)[] = []
    const work = (at: number) =>
      queue.run(() => {
        started.push(at)
        return new Promise<void>((resolve) => ends.push(resolve))
      })
    const runs = [0, 1, 2, 3].map(work)
    await delay(0)
    expect(started).toEqual([0, 1])
    expect(await codeOf(work(4))).toBe('service.busy')
    ends[0]?.()
    await runs[0]
    ends[1]?.()
    await runs[1]
    await delay(0)
    expect(started).toEqual([0, 1, 2, 3])
    for (const end of ends) end()
    await Promise.all(runs)
  })

  test('goes on after a failure, and does not run what was given up', async () => {
    const queue = new WorkQueue({ concurrency: 1, waiting: 5 })
    const gone = new AbortController()
    let ran = false
    const failing = queue.run(() => Promise.reject(new Error('broken')))
    const given = queue.run(async () => void (ran = true), gone.signal)
    gone.abort(new MillraceError('request.overdue', 'too late'))
    await expect(failing).rejects.toThrow('broken')
    await expect(given).rejects.toThrow('too late')
    expect(ran).toBe(false)
    expect(await queue.run(async () => 'next')).toBe('next')
  })
})
