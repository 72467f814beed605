import { VirtualTime } from '@millrace/event'
import { expect, test } from 'vitest'
import { GateKeeper } from './gate-keeper.ts'

test('who looks at it again when hearing of a pause hears of it once', () => {
  let open = false
  const heard: string[] = []
  const settings = {
    gate: { get open() { return open }, opened: () => new Promise<void>(() => undefined) }, // oxfmt-ignore
    timers: new VirtualTime(),
    tell: ({ kind }: { readonly kind: string }) => void heard.push(`${kind} ${keeper.paused}`),
  }
  const keeper: GateKeeper = new GateKeeper(settings, new AbortController().signal, () => undefined)
  expect(keeper.paused).toBe(true)
  open = true
  expect(keeper.paused).toBe(false)
  expect(heard).toEqual(['paused true', 'resumed false'])
})
