import { topic } from '@millrace/event'
import { emit, evolve, processor, state } from '@millrace/processor'
import { filter } from 'rxjs'
import { z } from 'zod'

const orders = topic('orders', { types: { paid: z.object({ cents: z.int() }) } })
const customers = topic('customers', { types: { promoted: z.object({ cents: z.int() }) } })
const loyalty = processor('loyalty', orders, {
  state: state({ initial: () => 0 }),
  pipeline: (lane) =>
    lane.pipe(
      evolve((sum, { data }) => sum + data.cents),
      filter(({ before, state: sum }) => before < 10_000 && sum >= 10_000),
      emit(customers, ({ state: sum }) => ({ type: 'promoted', data: { cents: sum } })),
    ),
})

// #region given
import { given } from '@millrace/testing'

await given(loyalty, [{ type: 'paid', data: { cents: 6_000 } }])
  .when({ type: 'paid', data: { cents: 5_000 } })
  .then({ state: 11_000, emitted: [{ topic: customers, type: 'promoted', key: 'key' }] })
// #endregion

const refused = await given(loyalty)
  .when({ type: 'paid', data: { cents: 5_000 } })
  .then({ emitted: [{ type: 'promoted' }] })
  .catch((error: unknown) => error)
console.log(refused instanceof Error ? refused.message : 'nothing wrong')

// Prints:
// emitted events: 1 expected, 0 found: []
