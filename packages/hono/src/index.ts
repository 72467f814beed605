export { allowedOrigins, type AllowedOriginsOptions } from './allowed-origins.ts'
export { bearerToken, type BearerTokenOptions } from './bearer-token.ts'
export { bodyLimit, type BodyLimits, defaultBodyLimits, readBody, utf8 } from './body.ts'
export {
  addressOf,
  bindingsOf,
  type KitBindings,
  type KitContext,
  type KitEnv,
  type KitVariables,
} from './environment.ts'
export { checkFields } from './fields.ts'
export { httpApp, type HttpAppOptions } from './http-app.ts'
export { jsonBody, type JsonInput, mediaType, readJson, safeJson } from './json-body.ts'
export type { ContextStore, KitLogger, ReadinessReport, RequestIds, RequestMeter } from './ports.ts'
export {
  asMillraceError,
  notFound,
  onError,
  type Problem,
  problem,
  problemOf,
  problemType,
} from './problem.ts'
export { rateLimit, type RateLimitOptions } from './rate-limit.ts'
export { correlationHeader, requestContext } from './request-context.ts'
export { requestLog, type RequestLogOptions } from './request-log.ts'
export { apiPolicy, pagePolicy, securityHeaders, type SecurityHeadersOptions } from './security-headers.ts'
export { type FetchApp, type HttpServer, serveHttp, type ServeOptions } from './serve.ts'
export {
  type ServiceAnswer,
  type ServiceCall,
  type ServiceClient,
  serviceClient,
  type ServiceClientOptions,
} from './service-client.ts'
export { timeLimit } from './time-limit.ts'
export { TokenBuckets, type TokenBucketsOptions } from './token-buckets.ts'
