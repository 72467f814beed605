import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { withProgress } from './terminal.ts'

test('a bar ends with what it shows, also when that fails: cursor and process are free again', async () => {
  const err = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  let shown = ''
  err.on('data', (piece) => (shown += String(piece)))
  // Its own timers alone: those of the test runner come and go.
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const failing = withProgress({ out: new PassThrough(), err }, 'Counting', async (progress) => {
    progress.update(1, 2)
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    throw new Error('It broke off')
  })
  await expect(failing).rejects.toThrow('It broke off')
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  await expect.poll(() => shown).toContain('Counting')
  expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.indexOf('\u001B[?25l'))
})
