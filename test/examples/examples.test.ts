import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startRedis } from '../support/redis.ts'
import { printedBy } from './printed.ts'

const examples = join(import.meta.dirname, '../../examples')

/** A fold prints nothing by itself: `millrace fold` runs it, in a test of its own. */
const isFold = (name: string): boolean =>
  /^export (function|const) fold\b/m.test(readFileSync(join(examples, name), 'utf8'))

test.each(readdirSync(examples).filter((name) => name.endsWith('.ts') && !isFold(name)))(
  '%s prints what it says',
  async (name) => {
    const path = join(examples, name)
    const redis = await startRedis()
    try {
      const env = { ...process.env, REDIS_URL: redis.url }
      const output = execFileSync(process.execPath, [path], { encoding: 'utf8', env, timeout: 150_000 })
      expect(output).toBe(printedBy(readFileSync(path, 'utf8')))
    } finally {
      await redis.stop()
    }
  },
)

test('planted: an example that does not say what it prints is refused', () => {
  expect(() => printedBy('console.log(1)')).toThrow('does not say')
  expect(printedBy('x()\n\n// Prints:\n// 1\n// 2\n// #endregion')).toBe('1\n2\n')
})
