import { ask, dismiss, mailAgain, reopen, results, settle, snooze } from './actions.ts'
import { current, isOpen, toggle } from './store.ts'
import { dayText, statusNames, type Suggestion, wishText } from './suggestion.ts'

interface RowProps {
  readonly suggestion: Suggestion
  readonly index: number
  /** Place in the list, in px. */
  readonly top: number
  readonly height: number
  readonly isSelected: boolean
  readonly isFocusable: boolean
}

/** A suggestion: what, why, and what can be done about it. */
export function Row({ suggestion, index, top, height, isSelected, isFocusable }: RowProps) {
  const { id, order, line, productName, product, supplier, quantity, dueOn, kind, reason, status } =
    suggestion
  const result = results.value.get(id)
  const name = `${order}, line ${line}`
  return (
    <div
      class={`row ${status}`}
      id={`row-${id}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={isSelected}
      tabIndex={isFocusable ? 0 : -1}
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
      onFocusIn={() => (current.value = id)}
    >
      <div class="choose" role="gridcell">
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={isSelected}
          disabled={!isOpen(suggestion)}
          tabIndex={-1}
          onChange={() => toggle(id)}
        />
      </div>
      <div class="wish" role="gridcell">
        <strong class={`kind ${kind}`}>{wishText(suggestion)}</strong>
        <span>
          {name} · due {dayText(dueOn)}
        </span>
      </div>
      <div class="what" role="gridcell">
        <strong>
          {quantity} × {productName}
        </strong>
        <span>
          {product} · {supplier}
        </span>
      </div>
      <div class="why" role="gridcell">
        {reason}
        {status !== 'open' && (
          <span class="status">
            {statusNames[status]}
            {suggestion.statusReason === undefined ? '' : `: ${suggestion.statusReason}`}
          </span>
        )}
        {result !== undefined && status === 'open' && <span class="bad status">{result}</span>}
      </div>
      <div class="do" role="gridcell">
        <Buttons suggestion={suggestion} name={name} />
      </div>
    </div>
  )
}

function Buttons({ suggestion, name }: { readonly suggestion: Suggestion; readonly name: string }) {
  const { status } = suggestion
  if (status === 'open')
    return (
      <>
        <button class="main" aria-label={`Carry out ${name}`} onClick={() => ask([suggestion])}>
          Carry out
        </button>
        <button aria-label={`Snooze ${name} for a week`} onClick={() => void snooze(suggestion)}>
          Snooze
        </button>
        <button aria-label={`Dismiss ${name}`} onClick={() => void dismiss(suggestion)}>
          Dismiss
        </button>
      </>
    )
  if (status === 'snoozed' || status === 'dismissed')
    return (
      <button aria-label={`Show ${name} again`} onClick={() => void reopen(suggestion)}>
        Show again
      </button>
    )
  if (status === 'needs-attention')
    return (
      <>
        <button
          class="main"
          aria-label={`Mail about ${name} again`}
          onClick={() => void mailAgain(suggestion)}
        >
          Mail again
        </button>
        <button aria-label={`Settle ${name}`} onClick={() => void settle(suggestion)}>
          Settled by hand
        </button>
      </>
    )
  return null
}
