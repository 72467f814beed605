export { describeSagaStoreContract } from './saga-store-contract.ts'
