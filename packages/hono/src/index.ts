export { allowedOrigins, type AllowedOriginsOptions } from './allowed-origins.ts'
export { authorizationFault, bearerToken, type BearerTokenOptions, tokenFault } from './bearer-token.ts'
export { bodyLimit, type BodyLimits, defaultBodyLimits, readBody } from './body.ts'
export { cloudEventOf, encodedOfCloudEvent, type EventDefaults, eventOfCloudEvent } from './cloud-event.ts'
export { directRoute, type DirectRequest, type DirectRoute, type DirectRouteOptions } from './direct-route.ts'
export {
  addressOf,
  bindingsOf,
  headerOf,
  type KitBindings,
  type KitContext,
  type KitEnv,
  type KitVariables,
} from './environment.ts'
export { checkFields } from './fields.ts'
export { readForm } from './form-body.ts'
export { type HtmlPage, htmlPage, inlineStyle, type Markup } from './html-page.ts'
export { httpApp, type HttpAppOptions } from './http-app.ts'
export { intake, type IntakeOptions } from './intake.ts'
export type { IntakeLimits } from './intake-items.ts'
export { jsonBody, type JsonInput, readJson, safeJson } from './json-body.ts'
export { type BodyLine, jsonLines, jsonLinesType, type LineLimits, readLines } from './json-lines.ts'
export { logLevelRoutes, type LogLevelOptions } from './log-level.ts'
export {
  type ApiInfo,
  makeDocument,
  openApi,
  operation,
  type Operation,
  problemResponses,
} from './open-api.ts'
export { opsApp, type OpsOptions, opsRoutes } from './ops-app.ts'
export { type OpsAddress } from './ops-index.ts'
export { knownHosts, ownOrigin } from './own-origin.ts'
export type { ContextStore, KitLogger, ReadinessReport, RequestIds, RequestMeter } from './ports.ts'
export { asMillraceError, type Problem, problem, problemOf, problemType } from './problem.ts'
export { queryFields, type QueryInput } from './query-fields.ts'
export { rateLimit, type RateLimitOptions } from './rate-limit.ts'
export { correlationHeader } from './request-context.ts'
export { pagePolicy, securityHeaders, type SecurityHeadersOptions } from './security-headers.ts'
export { type FetchApp, type HttpServer, serveHttp, type ServeOptions } from './serve.ts'
export { serverSentEvents, type ServerSentEvent, type ServerSentEventsOptions } from './server-sent-events.ts'
export {
  type ServiceAnswer,
  type ServiceCall,
  type ServiceClient,
  serviceClient,
  type ServiceClientOptions,
} from './service-client.ts'
export { type Source, streamAnswer, type StreamOptions } from './stream.ts'
export { timeLimit } from './time-limit.ts'
export { TokenBuckets, type TokenBucketsOptions } from './token-buckets.ts'
