export {
  type Buyer,
  type Leads,
  leadsOf,
  newBuyer,
  type Offer,
  openOffers,
  type Standing,
} from './domain/buyer.ts'
export { buyerOfLegacy, type LegacyCustomer } from './domain/buyer-of-legacy.ts'
export { type Folded, foldFacts } from './domain/fold-facts.ts'
export { type FactType, factTypes, type OfferFact } from './domain/offer-fact.ts'
export type { SalesTask } from './domain/settle-buyer.ts'
export { factOf, type LeadsProcessor, leadsProcessor, type LeadsProcessorOptions } from './leads-processor.ts'
export { createLeads, type LeadsGroup, type LeadsOptions, type LeadsService } from './leads-service.ts'
export { type LegacySystem, legacyOverHttp } from './legacy/legacy-system.ts'
export { createLogDesk, type LogDeskOptions, taskIdOf } from './log-desk.ts'
export type { SalesDesk } from './sales-desk.ts'
export type { MailSettings } from './sales-mails.ts'
export { createMemorySalesView } from './view/memory-sales-rows.ts'
export { openSalesView, type SalesViewOptions } from './view/postgres-sales-rows.ts'
export type { CallTaskRow, LeadRow, SalesRows } from './view/sales-rows.ts'
export { salesView } from './view/sales-view.ts'
