import { MillraceError, type Topic } from '@millrace/event'
import {
  type RebuildOptions,
  type RebuildResult,
  rebuildView,
  type View,
  type ViewStore,
} from '@millrace/view'
import { suggestions } from '@millrace-app/restocking/topics'
import { sales } from '@millrace-app/leads/topics'
import { accounts } from '@millrace/accounts'

/** What a rebuild of any view is told. */
type RebuildOrder = Pick<RebuildOptions<never>, 'log' | 'from' | 'onProgress' | 'signal'>

/** A view of the services. */
export interface KnownView {
  readonly name: string
  readonly topic: Topic
  /** Makes it anew, wherever it has got to, and lets go of the database. Errors are those of `rebuildView`. */
  rebuild(databaseUrl: string, order: RebuildOrder): Promise<RebuildResult>
}

/** The views of the services. What is behind a name is loaded when it is used. */
const knownViews: readonly KnownView[] = [
  {
    name: 'user-query',
    topic: accounts,
    rebuild: async (url, order) => {
      const { accountView, openAccountView } = await import('@millrace-app/user-query')
      return rebuilt(accountView, await openAccountView(connection(url)), order)
    },
  },
  {
    name: 'leads-view',
    topic: sales,
    rebuild: async (url, order) => {
      const { openSalesView, salesView } = await import('@millrace-app/leads')
      return rebuilt(salesView, await openSalesView(connection(url)), order)
    },
  },
  {
    name: 'restocking-view',
    topic: suggestions,
    rebuild: async (url, order) => {
      const { openSuggestionStore, openVerdictView, verdictView } = await import('@millrace-app/restocking')
      const options = { ...connection(url), schemas: { own: 'restocking', view: 'restocking_view' } }
      // What planners have decided lies beside the view, and hears of a swap.
      const decisions = await openSuggestionStore(options)
      try {
        await decisions.prepare()
      } finally {
        await decisions.close()
      }
      return rebuilt(verdictView, await openVerdictView(options), order)
    },
  },
]

export const viewNames: readonly string[] = knownViews.map(({ name }) => name)

/** The view of this name. @throws MillraceError `request.invalid` */
export function viewNamed(name: string): KnownView {
  const view = knownViews.find((one) => one.name === name)
  if (view) return view
  throw new MillraceError('request.invalid', `There is no view "${name}"; there are ${viewNames.join(', ')}`)
}

async function rebuilt<Tx>(
  view: View<Tx>,
  store: ViewStore<Tx> & { close(): Promise<void> },
  order: RebuildOrder,
): Promise<RebuildResult> {
  try {
    return await rebuildView({ ...order, view, store })
  } finally {
    await store.close()
  }
}

function connection(url: string) {
  // A connection that is lost fails the statement on it.
  return { url, applicationName: 'millrace view rebuild', onError: () => undefined }
}
