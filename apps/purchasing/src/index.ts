export { forgetAnswers } from './answered-once.ts'
export {
  type CentralDatabase,
  type CentralDatabaseOptions,
  correlationPrefix,
  openCentralDatabase,
} from './central-database.ts'
export {
  generate,
  type GenerateOptions,
  largeSize,
  seeded,
  seedWhenEmpty,
  type Size,
  smallSize,
} from './generate.ts'
export { type LineAction, type Order, type OrderLine, type OrderStatus } from './order.ts'
export { createPurchasing, type PurchasingOptions } from './purchasing.ts'
export { type CentralSnapshot, openSnapshot } from './snapshot.ts'
