import { useEffect, useRef } from 'preact/hooks'
import { ask, asked, confirm, notice, pending, progress, takeBack } from './actions.ts'
import { filters, isNarrow, setFilters } from './filters.ts'
import { List } from './list.tsx'
import { chosen, connection, failure, isLoading, isOpen, rows, selected } from './store.ts'
import { kindNames, type Status, statusNames, wishText } from './suggestion.ts'

export function Page() {
  return (
    <>
      <header>
        <h1>Restocking suggestions</h1>
        <FilterForm />
      </header>
      <main>
        <Connection />
        <Bar />
        {rows.value.length === 0 ? <Empty /> : <List />}
      </main>
      <p class={`notice ${notice.value?.bad === true ? 'bad' : ''}`} role="status">
        {notice.value?.text ?? ''}
      </p>
      <Question />
    </>
  )
}

function FilterForm() {
  const { status, kind, supplier, product } = filters.value
  return (
    <form role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Status
        <select
          value={status}
          onChange={({ currentTarget }) => setFilters({ status: currentTarget.value as Status })}
        >
          {Object.entries(statusNames).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        What
        <select value={kind} onChange={({ currentTarget }) => setFilters({ kind: currentTarget.value })}>
          <option value="">Everything</option>
          {Object.entries(kindNames).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Supplier
        <input
          value={supplier}
          placeholder="such as S0004"
          maxLength={64}
          onInput={({ currentTarget }) => setFilters({ supplier: currentTarget.value })}
        />
      </label>
      <label>
        Product
        <input
          value={product}
          placeholder="such as P000034"
          maxLength={64}
          onInput={({ currentTarget }) => setFilters({ product: currentTarget.value })}
        />
      </label>
    </form>
  )
}

function Connection() {
  if (connection.value !== 'lost') return null
  return (
    <p class="lost" role="alert">
      The connection is lost: what you see may be old. It is tried again by itself.
      {failure.value === undefined ? '' : ` (${failure.value})`}
    </p>
  )
}

function Bar() {
  const open = rows.value.filter(isOpen)
  const all = open.length > 0 && open.every(({ id }) => selected.value.has(id))
  const { value: waiting } = pending
  const { value: running } = progress
  return (
    <div class="bar">
      <label>
        <input
          type="checkbox"
          checked={all}
          disabled={open.length === 0}
          onChange={() => (selected.value = new Set(all ? [] : open.map(({ id }) => id)))}
        />
        All
      </label>
      <span>
        {isLoading.value ? 'Reading …' : countText(rows.value.length)}
        {chosen.value.length > 0 ? `, ${chosen.value.length.toLocaleString()} selected` : ''}
      </span>
      {waiting ? (
        <span class="pending">
          {waiting.rows.length} will be carried out in {waiting.secondsLeft} s{' '}
          <button onClick={takeBack}>Undo</button>
        </span>
      ) : running ? (
        <label class="running">
          {running.done} of {running.of}
          <progress max={running.of} value={running.done} />
        </label>
      ) : (
        <button class="main" disabled={chosen.value.length === 0} onClick={() => ask()}>
          Carry out selected
        </button>
      )}
      <span class="keys">Keys: ↑ ↓ move, space selects, enter carries out, s snoozes, d dismisses</span>
    </div>
  )
}

function countText(count: number): string {
  return count === 1 ? '1 suggestion' : `${count.toLocaleString()} suggestions`
}

function Empty() {
  if (isLoading.value) return <p class="empty">Reading …</p>
  const name = statusNames[filters.value.status].toLowerCase()
  if (!isNarrow(filters.value)) return <p class="empty">No suggestion is listed as {name}.</p>
  return (
    <p class="empty">
      There is nothing to show: none of those listed as {name} matches.{' '}
      <button onClick={() => setFilters({ kind: '', supplier: '', product: '' })}>Show all of them</button>
    </p>
  )
}

/** Asks once, for one or for many. */
function Question() {
  const dialog = useRef<HTMLDialogElement>(null)
  const { value: wanted } = asked
  useEffect(() => {
    if (wanted) dialog.current?.showModal()
    else dialog.current?.close()
  }, [wanted])
  const [only] = wanted ?? []
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      onClose={() => (asked.value = undefined)}
      // The key that has asked, held down, is no answer.
      onKeyDown={(event) => event.repeat && event.preventDefault()}
    >
      {wanted && only && (
        <>
          <h2 id="question">
            {wanted.length === 1 ? `${wishText(only)}?` : `Carry ${wanted.length} suggestions out?`}
          </h2>
          {wanted.length === 1 ? (
            <p>
              Order {only.order}, line {only.line}: {only.quantity} × {only.productName}. {only.reason} The
              supplier {only.supplier} is told by mail.
            </p>
          ) : (
            <p>Each order is changed, and its supplier is told by mail. You can undo it for five seconds.</p>
          )}
          <p class="choices">
            <button onClick={() => (asked.value = undefined)}>No</button>
            <button class="main" autofocus onClick={confirm}>
              Carry out
            </button>
          </p>
        </>
      )}
    </dialog>
  )
}
