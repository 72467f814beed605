import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

const owner = 'packages/redis/src/keys.ts'

/**
 * A string or template with a Redis hash tag (`name:{tag}`, `${prefix}:{${tag}}`) or with the prefix of our keys
 * (`millrace:`, `mr:`). Object literals never match: formatted code has a blank after their colon.
 */
const keyLiteral = /(['"`])(?:(?:mr|millrace):[\w{$]|(?:(?!\1).)*[\w}-]:\{)/

/** A command whose key is written on the spot: `redis.hget('accounts', …)`. */
const literalArgument =
  /\.(?:hm?get|hset|hdel|hlen|hgetall|llen|lrange|lindex|[lr]push|s(?:add|rem|members)|z(?:add|rem|range)|x(?:add|range|len|trim|del))\(\s*['"`]/

/** The rule: the name of a Redis key is made in one file; all others ask it. */
function keyFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        file.path !== owner &&
        !/^\s*(\*|\/\/|--)/.test(line) &&
        (keyLiteral.test(line) || literalArgument.test(line))
          ? [`${file.path}:${index + 1}: ${line.trim().slice(0, 80)}`]
          : [],
      ),
  )
}

test('Redis keys are named in one file', () => {
  // Tests may name a key: they break data as an operator would find it. Benchmarks have keys of their own.
  const files = filesWhere(/^(packages|apps|examples)\/.*\.(ts|mjs|lua)$/).filter(
    ({ path }) => !path.endsWith('.test.ts'),
  )
  expect(files.length).toBeGreaterThan(0)
  expect(keyFaults(files)).toEqual([])
})

test('planted: a key literal outside of keys.ts is found', () => {
  const plant = (text: string, path = 'packages/redis/src/append.ts') => keyFaults([{ path, text }])
  expect(plant("await redis.get('millrace:{accounts}:log')")).toHaveLength(1)
  expect(plant('await redis.get(`${prefix}:{${tag}}:log`)')).toHaveLength(1)
  expect(plant('const key = `mr:${topic}`')).toHaveLength(1)
  expect(plant("await redis.hget('accounts', field)")).toHaveLength(1)
  expect(plant('await redis.hget(keys.claims, field)')).toEqual([])
  expect(plant('const key = `mr:${topic}`', owner)).toEqual([])
  expect(plant("const x = { a: { b: 'c' } }")).toEqual([])
  expect(plant(`const x = '{"a":{"b":1}}'`)).toEqual([])
})
