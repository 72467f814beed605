export { createMemorySagaStore } from './memory-saga-store.ts'
export { mayPass, type OnStepFailed, type Saga, saga, type Step, type StepContext } from './saga.ts'
export { SagaRunner, type SagaRunnerOptions } from './saga-runner.ts'
export {
  firstRecord,
  type SagaDraft,
  type SagaFilter,
  type SagaProgress,
  type SagaRecord,
  type SagaState,
  type SagaStore,
  type TakenSaga,
} from './saga-store.ts'
