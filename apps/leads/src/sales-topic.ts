import { type EventOf, topic } from '@millrace/event'
import { z } from 'zod'

const task = z.strictObject({
  task: z.string(),
  offer: z.string(),
  car: z.string(),
  acceptance: z.int(),
})

/** What sales has of it: leads, and what was done about them. The key is the buyer. */
export const sales = topic('sales', {
  partitions: 4,
  types: {
    /** How the buyer's leads are now. */
    LeadsChanged: z.strictObject({ low: z.boolean(), high: z.array(z.string()), open: z.int() }),
    QuoteMade: z.strictObject({ offer: z.string(), car: z.string(), price: z.int() }),
    /** He was told of his quotes. */
    BuyerContacted: z.strictObject({}),
    /** Somebody is to call him about an acceptance. */
    CallTaskOpened: task,
    /** The acceptance does not stand any more. */
    CallTaskCancelled: task,
    CallTaskDone: z.strictObject({ task: z.string() }),
  },
})

/** Any event of the sales topic, for `switch (event.type)`. */
export type SalesEvent = EventOf<typeof sales>
