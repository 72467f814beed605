export { contextStore, currentContext, type RunContext, runInContext } from './context.ts'
export {
  type DependencyHealth,
  Health,
  type HealthCheck,
  type HealthFinding,
  type HealthReport,
  type HealthState,
} from './health.ts'
export { Lifecycle, type LifecycleOptions, type Part } from './lifecycle.ts'
export { allowedFields, type LogFields } from './log-fields.ts'
export { createLogger, type Logger, type LoggerOptions, type LogLevel, logLevels } from './logger.ts'
export { maskAddress, maskText } from '@millrace/event'
export type { MetricKind, MetricName } from './metric-name.ts'
export { metricNames } from './metric-names.ts'
export { type Count, Metrics, type MetricsOptions, type Reading, type Readings } from './metrics.ts'
export type { Exposition } from './exposition.ts'
export type { Observed } from './plain-histogram.ts'
export { handleProcess, type HandleProcessOptions, type ProcessLike } from './process-signals.ts'
export { type KeyPurpose, purposeKey } from './purpose-key.ts'
export { requestMeter, type ServiceRequestMeter } from './request-meter.ts'
export { bytes, choice, durationMs, list, port, secret, text, url } from './setting-fields.ts'
export { type Environment, readSettings, type ReadSettingsOptions } from './settings.ts'
