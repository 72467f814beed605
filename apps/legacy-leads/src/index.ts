export { createLegacyLeads, type LegacyLeadsOptions } from './legacy-app.ts'
export { type LegacyDatabase, type LegacyDatabaseOptions, openLegacyDatabase } from './legacy-database.ts'
export type { LegacyFact } from './legacy-facts.ts'
export type { LegacyLeads } from './legacy-leads.ts'
