import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core'
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { ask, dismiss, snooze } from './actions.ts'
import { Row } from './row.tsx'
import { chosen, current, isOpen, rows, selected, toggle } from './store.ts'

/** Where the style sheet lays rows out in another way. */
const phone = matchMedia('(max-width: 45rem)')
const tablet = matchMedia('(max-width: 72rem)')
const rowHeight = () => (phone.matches ? 216 : tablet.matches ? 136 : 92)

/** The list: only the rows in sight are there, so that ten thousand cost no more than ten. */
export function List() {
  const scroller = useRef<HTMLDivElement>(null)
  const [, redraw] = useReducer((count: number, _: unknown) => count + 1, 0)
  const all = rows.value
  const virtualizer = useVirtualizer(scroller, all.length, redraw)
  useStillRows(
    scroller,
    all.map(({ id }) => id),
  )

  const focusRow = (index: number): void => {
    const row = all[Math.max(0, Math.min(index, all.length - 1))]
    if (!row) return
    current.value = row.id
    virtualizer.scrollToIndex(all.indexOf(row))
    // After it has been drawn.
    requestAnimationFrame(() => document.getElementById(`row-${row.id}`)?.focus())
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = all.findIndex(({ id }) => id === current.value)
    const row = all[at]
    // Keys that a button or a box in the row has for itself.
    if (event.target instanceof HTMLElement && event.target.closest('button, input')) return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 8,
      PageUp: at - 8,
      Home: 0,
      End: all.length - 1,
    }
    const to = moves[event.key]
    if (to !== undefined) focusRow(to)
    // A key that is held down moves on, but decides once.
    else if (event.repeat) return
    else if (event.key === ' ' && row) toggle(row.id)
    else if (event.key === 'Enter' && row && isOpen(row)) ask(chosen.value.length > 0 ? chosen.value : [row])
    else if (event.key === 'd' && row && isOpen(row)) void dismiss(row)
    else if (event.key === 's' && row && isOpen(row)) void snooze(row)
    else return
    event.preventDefault()
  }
  const focusable = all.some(({ id }) => id === current.value) ? current.value : all[0]?.id
  return (
    <div
      class="list"
      ref={scroller}
      role="grid"
      aria-label="Suggestions"
      aria-rowcount={all.length}
      aria-multiselectable="true"
      onKeyDown={onKeyDown}
    >
      <div class="rows" role="rowgroup" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {virtualizer.getVirtualItems().map(({ index, start, size }) => {
          const suggestion = all[index]
          return (
            suggestion && (
              <Row
                key={suggestion.id}
                suggestion={suggestion}
                index={index}
                top={start}
                height={size}
                isSelected={selected.value.has(suggestion.id)}
                isFocusable={suggestion.id === focusable}
              />
            )
          )
        })}
      </div>
    </div>
  )
}

function useVirtualizer(
  scroller: { readonly current: HTMLDivElement | null },
  count: number,
  redraw: (_: unknown) => void,
): Virtualizer<HTMLDivElement, Element> {
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: rowHeight,
    overscan: 6,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  }
  const kept = useRef<Virtualizer<HTMLDivElement, Element>>(null)
  kept.current ??= new Virtualizer<HTMLDivElement, Element>(options)
  const virtualizer = kept.current
  virtualizer.setOptions({ ...virtualizer.options, ...options })
  useLayoutEffect(() => {
    const onWidth = (): void => {
      virtualizer.measure()
      redraw(undefined)
    }
    for (const width of [phone, tablet]) width.addEventListener('change', onWidth)
    const unmount = virtualizer._didMount()
    return () => {
      for (const width of [phone, tablet]) width.removeEventListener('change', onWidth)
      unmount()
    }
  }, [])
  useLayoutEffect(() => virtualizer._willUpdate())
  return virtualizer
}

/** What is looked at stays where it is when rows above it come or go. */
function useStillRows(scroller: { readonly current: HTMLDivElement | null }, ids: readonly string[]): void {
  const before = useRef<readonly string[]>([])
  useLayoutEffect(() => {
    const element = scroller.current
    const old = before.current
    before.current = ids
    if (!element || old.length === 0 || element.scrollTop === 0) return
    const height = rowHeight()
    const first = Math.floor(element.scrollTop / height)
    const places = new Map(ids.map((id, index) => [id, index]))
    // The first row in sight that is still there.
    for (let at = first; at < old.length; at++) {
      const place = places.get(old[at] ?? '')
      if (place === undefined) continue
      if (place !== at) element.scrollTop += (place - at) * height
      return
    }
  })
}
