export { type CountRow, type CountRows, countRowsIn, type CountState } from './counting-view.ts'
export type { ViewStoreUnderTest } from './scene.ts'
export { describeViewStoreContract } from './view-store-contract.ts'
