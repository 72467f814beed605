export { appendMeter } from './append-meter.ts'
export { BreakerStates, type BreakerState } from './breaker-states.ts'
export { consumerMeter } from './consumer-meter.ts'
