import { signal } from '@preact/signals'
import { kindNames, type Status, statusNames, type Suggestion } from './suggestion.ts'

/** What the list shows; it stands in the address, so that it can be kept and passed on. */
export interface Filters {
  readonly status: Status
  readonly kind: string
  readonly supplier: string
  readonly product: string
}

export const filters = signal<Filters>(readFilters(location.search))

addEventListener('popstate', () => {
  filters.value = readFilters(location.search)
})

/** Changes filters, and the address with them. The way back leads over what was chosen, not over each letter typed. */
export function setFilters(change: Partial<Filters>): void {
  filters.value = { ...filters.value, ...change }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries<string>({ ...filters.value }))
    if (value !== '' && !(name === 'status' && value === 'open')) query.set(name, value)
  const text = query.toString()
  const address = text === '' ? location.pathname : `?${text}`
  if (change.status === undefined && change.kind === undefined) history.replaceState(undefined, '', address)
  else history.pushState(undefined, '', address)
}

/** Whether more than a status is asked for. */
export function isNarrow({ kind, supplier, product }: Filters): boolean {
  return `${kind}${supplier}${product}` !== ''
}

/** Whether a suggestion is to be shown. Supplier and product may be parts of an id or name. */
export function isShown(suggestion: Suggestion, { status, kind, supplier, product }: Filters): boolean {
  return (
    suggestion.status === status &&
    (kind === '' || suggestion.kind === kind) &&
    holds(suggestion.supplier, supplier) &&
    (holds(suggestion.product, product) || holds(suggestion.productName, product))
  )
}

function holds(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.trim().toLowerCase())
}

function readFilters(search: string): Filters {
  const query = new URLSearchParams(search)
  const status = query.get('status') ?? 'open'
  const kind = query.get('kind') ?? ''
  return {
    status: Object.hasOwn(statusNames, status) ? (status as Status) : 'open',
    kind: Object.hasOwn(kindNames, kind) ? kind : '',
    supplier: query.get('supplier') ?? '',
    product: query.get('product') ?? '',
  }
}
