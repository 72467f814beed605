export type { OtlpOptions } from './otlp-sink.ts'
export { type SamplerName, samplerNames, samplerOf } from './sampler.ts'
export { startTracing, type Tracing, type TracingOptions } from './start-tracing.ts'
