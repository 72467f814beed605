import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { withProgress } from './terminal.ts'

test('a bar ends with what it shows, also when that fails: cursor and process are free again', async () => {
  const err = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  let shown = ''
  err.on('data', (piece) => (shown += String(piece)))
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length
  const before = timers()
  const failing = withProgress({ out: new PassThrough(), err }, 'Counting', async (progress) => {
    progress.update(1, 2)
    expect(timers()).toBeGreaterThan(before)
    throw new Error('It broke off')
  })
  await expect(failing).rejects.toThrow('It broke off')
  expect(timers()).toBe(before)
  await expect.poll(() => shown).toContain('Counting')
  expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.indexOf('\u001B[?25l'))
})
