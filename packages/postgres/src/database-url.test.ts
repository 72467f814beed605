import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { databaseUrl } from './database-url.ts'

test('settings join those that are there', () => {
  const url = databaseUrl(
    'postgres://ada:secret@host:5432/db?options=-c%20timezone%3DUTC',
    '-c search_path=leads',
    {
      replication: 'database',
    },
  )
  expect(new URL(url).searchParams.get('options')).toBe('-c timezone=UTC -c search_path=leads')
  expect(new URL(url).searchParams.get('replication')).toBe('database')
  expect(url).not.toContain('+')
})

test.each(['postgres://ada:hunter2@host:port/db', 'mysql://ada:hunter2@host/db', 'ada:hunter2@host'])(
  'what is no address is refused without its password',
  (url) => {
    let thrown: unknown
    try {
      databaseUrl(url, '-c timezone=UTC')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(inspect(thrown)).not.toContain('hunter2')
  },
)
