import { type ErrorCode, MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { repeatUnknown } from './repeat-unknown.ts'

const unreachable = new MillraceError('service.unavailable', 'cut', { details: { outcome: 'unknown' } })

/** An append that ends in these, one after the other; the last one for ever. */
function ending(...ends: readonly (ErrorCode | MillraceError | 'ok')[]) {
  const calls: number[] = []
  const act = async () => {
    const end = ends[Math.min(calls.length, ends.length - 1)] ?? 'ok'
    calls.push(calls.length)
    if (end === 'ok') return 'ok'
    throw end instanceof MillraceError ? end : new MillraceError(end)
  }
  return { act, calls }
}

const fast = { waitMs: 1, timeoutMs: 60_000 }
const codeOf = (call: Promise<unknown>) =>
  call.catch((error: unknown) => (error instanceof MillraceError ? error.code : error))

describe('an append with an unknown result', () => {
  test('is sent again until it is known', async () => {
    const { act, calls } = ending('append.unknown', unreachable, 'append.gated', 'ok')
    expect(await repeatUnknown(act, fast)).toBe('ok')
    expect(calls).toHaveLength(4)
  })

  test('ends with the refusal of the log', async () => {
    const { act } = ending('append.unknown', 'append.claimed')
    expect(await codeOf(repeatUnknown(act, fast))).toBe('append.claimed')
  })

  test('stays unknown though a later attempt surely wrote nothing', async () => {
    const { act, calls } = ending('append.unknown', 'log.unavailable')
    expect(await codeOf(repeatUnknown(act, fast))).toBe('append.unknown')
    expect(calls).toHaveLength(5)
  })

  test('is given up within the time, also when an attempt hangs', async () => {
    const { act } = ending('append.unknown')
    expect(await codeOf(repeatUnknown(act, { waitMs: 10_000, timeoutMs: 20 }))).toBe('append.unknown')
    const hanging = () => new Promise<never>(() => undefined)
    expect(await codeOf(repeatUnknown(hanging, { timeoutMs: 20 }))).toBe('append.unknown')
    const gone = { ...fast, signal: AbortSignal.abort() }
    expect(await codeOf(repeatUnknown(hanging, gone))).toBe('append.unknown')
  })
})

describe('an append with a known result', () => {
  test.each(['append.claimed', 'log.unavailable', 'service.unavailable', 'event.invalid'] as const)(
    'is not repeated after %s',
    async (code) => {
      const { act, calls } = ending(code)
      expect(await codeOf(repeatUnknown(act, fast))).toBe(code)
      expect(calls).toHaveLength(1)
    },
  )

  test('waits at a gate, and says so when that does not open', async () => {
    const opening = ending('append.gated', 'append.gated', 'ok')
    expect(await repeatUnknown(opening.act, fast)).toBe('ok')
    const closed = ending('append.gated')
    expect(await codeOf(repeatUnknown(closed.act, fast))).toBe('append.gated')
    expect(closed.calls).toHaveLength(5)
  })

  test('that is no error of ours is handed on', async () => {
    const broken = () => Promise.reject(new TypeError('a mistake'))
    expect(await codeOf(repeatUnknown(broken, fast))).toBeInstanceOf(TypeError)
  })
})
