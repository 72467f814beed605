import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { millrace } from './testing/millrace.ts'

test('says its version, and needs no system for that', async () => {
  expect(await millrace('--version', {})).toMatchObject({ code: 0, stdout: `${manifest.version}\n` })
})
