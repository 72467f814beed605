/** What others need of leads without the service: for producers, consumers and operators. */
export { type OfferEvent, offers } from './offers-topic.ts'
export { type SalesEvent, sales } from './sales-topic.ts'
